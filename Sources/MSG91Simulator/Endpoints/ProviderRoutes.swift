internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import ServiceLifecycle

/// MSG91's own paths, most of them by GET and POST alike.
struct ProviderRoutes: Sendable {
    let gateway: Gateway

    func add(to router: Router<SimulatorContext>) {
        for endpoint in Endpoint.allCases {
            let path = RouterPath(endpoint.path)
            for method in endpoint.isPostOnly ? [.post] : [HTTPRequest.Method.get, .post] {
                router.on(path, method: method) { request, context in
                    try await handle(endpoint, request, context)
                }
            }
        }
    }

    private func handle(_ endpoint: Endpoint, _ request: Request, _ context: SimulatorContext) async throws -> Response
    {
        let body = try await request.body.collect(upTo: 256 << 10)
        let parameters = Parameters(
            query: Substring(request.uri.query ?? ""), body: Array(body.readableBytesView),
            contentType: request.headers[.contentType] ?? "", authKeyHeader: request.headers[.authKey])
        let seen = SeenRequest(
            method: request.method.rawValue, path: request.uri.path, parameters: parameters.all,
            authKeyPosition: parameters.authKeyPosition)
        let (fault, account) = gateway.admit(seen, endpoint: endpoint, parameters: parameters)

        if fault?.resetBefore == true { return await reset(context) }
        if fault?.hang == true { return await hang(context) }
        let answer =
            fault?.accepts == false ? Answer.error("unavailable") : gateway.answer(endpoint, parameters)
        if fault?.resetAfter == true { return await reset(context) }
        if fault?.acceptThenTimeout == true { return await hang(context) }
        let latency = min(max(0, fault?.latency ?? account.latency), 120_000)
        if latency > 0 { await pause(.milliseconds(latency)) }
        return Response(FaultyAnswer(answer, fault: fault, contentType: account.contentType))
    }

    /// Holds the request until the caller's patience is over, at most two minutes.
    private func hang(_ context: SimulatorContext) async -> Response {
        await pause(.seconds(120))
        return await reset(context)
    }

    /// Sleeps, but not over a shutdown.
    private func pause(_ duration: Duration) async {
        try? await cancelWhenGracefulShutdown { try await Task.sleep(for: duration) }
    }

    /// Ends the connection by a TCP reset; the response is never seen.
    private func reset(_ context: SimulatorContext) async -> Response {
        if let socket = context.channel as? any SocketOptionProvider {
            try? await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        }
        try? await context.channel.close().get()
        return Response(status: .internalServerError)
    }
}

extension HTTPField.Name {
    /// MSG91's credential.
    static let authKey = HTTPField.Name("authkey") ?? .authorization
}

extension Response {
    init(_ answer: FaultyAnswer) {
        var headers: HTTPFields = [.contentType: answer.contentType]
        if let location = answer.location { headers[.location] = location }
        if let seconds = answer.retryAfter { headers[.retryAfter] = String(seconds) }
        self.init(
            status: HTTPResponse.Status(code: answer.status), headers: headers,
            body: answer.isHuge ? Self.huge(answer.text) : ResponseBody(byteBuffer: ByteBuffer(string: answer.text)))
    }

    /// Written piece by piece, until the reader has had enough.
    private static func huge(_ text: String) -> ResponseBody {
        let piece = ByteBuffer(repeating: UInt8(ascii: " "), count: 64 << 10)
        return ResponseBody { writer in
            try await writer.write(ByteBuffer(string: text))
            for _ in 0..<(1 << 14) { try await writer.write(piece) }
            try await writer.finish(nil)
        }
    }

    /// A JSON document of the control paths.
    static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: value.text)))
    }
}
