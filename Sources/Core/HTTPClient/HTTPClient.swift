internal import Deadlines
package import Logging
internal import ServiceLifecycle

/// An HTTP/1.1 client on libcurl's multi interface, which runs on a thread of its own.
///
/// It follows no redirects, keeps no cookies, ignores proxy variables, always verifies TLS, and speaks plain http only
/// to loopback and to the hosts its configuration names. Every wait has an end, and every error says whether the
/// request may have reached the server (``HTTPClientError/maybeSent``).
package final class HTTPClient: Service, Sendable {
    private let configuration: HTTPClientConfiguration
    private let logger: Logger
    private let loop: TransferLoop

    /// Starts the client's thread; requests may be sent at once, ``run()`` is needed for an orderly end.
    package init(configuration: HTTPClientConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        loop = TransferLoop(configuration: configuration)
        loop.start()
    }

    deinit {
        loop.abort()
    }

    /// Sends one request and collects the whole answer, whatever its status.
    ///
    /// - Parameter timeout: for everything, from the wait for a free connection to the last byte of the answer; cut at
    ///   `RequestDeadline.current` and at one hour.
    /// - Throws: ``HTTPClientError``; `.cancelled` when the surrounding task is cancelled, which aborts the transfer.
    package func send(
        _ request: HTTPClientRequest, timeout: Duration
    ) async throws(HTTPClientError) -> HTTPClientResponse {
        let started = ContinuousClock.now
        let result: Result<HTTPClientResponse, HTTPClientError>
        do throws(HTTPClientError) {
            let prepared = try PreparedRequest(request, configuration: configuration)
            result = await transfer(prepared, deadline: Self.deadline(started, timeout: timeout))
        } catch {
            result = .failure(error)
        }
        log(result, elapsed: started.duration(to: .now))
        return try result.get()
    }

    /// Runs until graceful shutdown, then lets the requests in flight finish; on cancellation they are aborted.
    package func run() async throws {
        do {
            try await gracefulShutdown()
            loop.drain()
        } catch {
            loop.abort()
        }
        await withTaskCancellationHandler {
            await loop.finished()
        } onCancel: {
            loop.abort()
        }
    }

    private func transfer(
        _ request: PreparedRequest, deadline: ContinuousClock.Instant
    ) async -> Result<HTTPClientResponse, HTTPClientError> {
        let ticket = loop.ticket()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                loop.submit(
                    Submission(ticket: ticket, request: request, deadline: deadline, continuation: continuation))
            }
        } onCancel: {
            loop.cancel(ticket)
        }
    }

    private static func deadline(_ now: ContinuousClock.Instant, timeout: Duration) -> ContinuousClock.Instant {
        let own = now.advanced(by: min(max(timeout, .zero), .seconds(3600)))
        guard let outer = RequestDeadline.current else { return own }
        return min(own, outer)
    }

    private func log(_ result: Result<HTTPClientResponse, HTTPClientError>, elapsed: Duration) {
        logger.debug(
            "HTTP request finished",
            metadata: [
                "outcome": .string(result.outcome),
                "seconds": .stringConvertible(elapsed / .seconds(1)),
            ])
    }
}

extension Result<HTTPClientResponse, HTTPClientError> {
    /// The status or the error, without any part of the request or the answer.
    fileprivate var outcome: String {
        switch self {
        case .success(let response): "\(response.status)"
        case .failure(let error): "\(error)"
        }
    }
}
