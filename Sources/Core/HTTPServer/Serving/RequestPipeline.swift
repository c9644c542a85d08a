import Deadlines
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// From a whole request to a whole answer: who asks, how long it may take, which handler, and what is written down of it.
struct RequestPipeline: Sendable {
    let responder: RouterResponder<PostkeyRequestContext>
    let allowed: AllowTable
    let problemPrefix: String
    let trustedProxies: [AddressRange]
    let maximumRequestsInFlight: Int
    let translate: @Sendable (any Error) -> Problem?
    let present: ProblemPresentation
    let state: ServingState
    let metrics: RequestMetrics
    let accessLog: AccessLog
    let logger: Logger
    let encoder = ResponseEncoder()

    func answer(_ received: ReceivedRequest, peer: IPAddress) async -> EncodedResponse {
        let start = ContinuousClock.now
        let trace = RequestTrace(received.head.headerFields)
        let address = clientAddress(peer, received.head.headerFields)
        let context = PostkeyRequestContext(
            source: RequestSource(logger: logger, trace: trace, clientAddress: address))
        let inFlight = state.enter()
        defer { state.leave() }

        var (response, problem) = await RequestDeadline.$current.withValue(start + HTTPServer.requestTime) {
            await RequestTrace.$current.withValue(trace) {
                await respond(to: received, context: context, inFlight: inFlight)
            }
        }
        let body: ByteBuffer
        do {
            body = try await ResponseEncoder.collect(response.body)
        } catch {
            logger.error("A response body failed", metadata: ["error": "\(error)", "request_id": "\(trace.requestID)"])
            (response, problem) = render(Problem(.internalError), received.head, trace)
            body = (try? await ResponseEncoder.collect(response.body)) ?? ByteBuffer()
        }
        record(received, context, response, problem, since: start)
        let closes = !received.keepsAlive || state.isDraining || response.headers[.connection] == "close"
        return EncodedResponse(
            bytes: encoder.encode(response, body: body, to: received, trace: trace, closes: closes), closes: closes)
    }

    private func clientAddress(_ peer: IPAddress, _ headers: HTTPFields) -> ClientAddress {
        if trustedProxies.isEmpty { return ClientAddress(peer) }
        return ClientAddress(peer: peer, forwardedFor: headers[values: .xForwardedFor], trusting: trustedProxies)
    }

    private func respond(
        to received: ReceivedRequest, context: PostkeyRequestContext, inFlight: Int
    ) async -> (Response, problem: String?) {
        do {
            if let rejection = received.rejection {
                throw Problem(rejection)
            }
            if inFlight > maximumRequestsInFlight, received.head.path?.hasPrefix("/health/") != true {
                throw Problem(.serviceUnavailable, detail: "Too many requests are being answered.", retryAfter: 1)
            }
            // A path has one spelling: what keeps "/metrics" from the public does not know "//metrics" for the same.
            guard Self.isPlain(received.head.path ?? "/") else { throw Problem(.notFound) }
            let request = Request(
                head: received.head, body: RequestBody(buffer: received.body ?? ByteBuffer()))
            let response = try await responder.respond(to: request, context: context)
            // What Hummingbird itself refuses comes without a document.
            if response.status.code >= 400, !response.headers.contains(.contentType) {
                return try unmatched(received.head, response.status)
            }
            return (response, nil)
        } catch {
            return render(problem(for: error), received.head, context.trace)
        }
    }

    /// Whether a path has no empty component, which the router would pass over.
    private static func isPlain(_ path: String) -> Bool {
        var previous: UInt8 = 0
        var length = 0
        for byte in path.utf8 {
            if byte == UInt8(ascii: "?") { break }
            if byte == UInt8(ascii: "/"), previous == byte { return false }
            previous = byte
            length += 1
        }
        return length <= 1 || previous != UInt8(ascii: "/")
    }

    /// The answer where no route was found.
    private func unmatched(_ head: HTTPRequest, _ status: HTTPResponse.Status) throws -> (Response, problem: String?) {
        guard status == .notFound else { throw Problem(status.code < 500 ? .invalidRequest : .internalError) }
        if head.method == .options, head.path == "*" { return (.empty(.noContent), nil) }
        guard let allow = allowed.methods(for: head.path ?? "/") else { throw Problem(.notFound) }
        throw Problem(.methodNotAllowed, headers: [.allow: allow])
    }

    private func problem(for error: any Error) -> Problem {
        if let problem = error as? Problem { return problem }
        if let problem = translate(error) { return problem }
        if error is CancellationError { return Problem(.serviceUnavailable, retryAfter: 1) }
        logger.error(
            "A request failed", metadata: ["error": "\(error)", "error_type": "\(type(of: error))"])
        return Problem(.internalError)
    }

    private func render(
        _ problem: Problem, _ head: HTTPRequest, _ trace: RequestTrace
    ) -> (Response, problem: String?) {
        let response =
            present(problem, head, trace.requestID)
            ?? problem.response(prefix: problemPrefix, requestID: trace.requestID)
        return (response, problem.type.code)
    }

    private func record(
        _ received: ReceivedRequest, _ context: PostkeyRequestContext, _ response: Response, _ problem: String?,
        since start: ContinuousClock.Instant
    ) {
        let duration = ContinuousClock.now - start
        let path = context.endpointPath
        let route = path == nil || path == "NotFound" ? RequestMetrics.unmatchedRoute : path ?? ""
        let method = received.head.method.rawValue
        metrics.record(route: route, method: method, status: response.status.code, duration: duration)
        accessLog(
            AccessRecord(
                requestID: context.requestID, method: Self.known(method), route: route, status: response.status.code,
                duration: duration, problem: problem))
    }

    /// Methods are the client's words: only those that exist are written down.
    private static func known(_ method: String) -> String {
        switch method {
        case "GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS": method
        default: "other"
        }
    }
}

extension RequestTrace {
    /// Takes what the headers say, if it can be used.
    init(_ headers: HTTPFields) {
        var requestID: String?
        var traceparent: String?
        for field in headers {
            if field.name == .xRequestID, requestID == nil {
                requestID = field.value
            } else if field.name == .traceparent, traceparent == nil {
                traceparent = field.value
            }
        }
        self.init(
            requestID: requestID.flatMap { Self.isRequestID($0) ? $0 : nil } ?? Self.makeRequestID(),
            traceparent: traceparent.flatMap { Self.isTraceparent($0) ? $0 : nil })
    }
}
