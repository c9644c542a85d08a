import HTTPClient
import Logging
import ServiceLifecycle
import Synchronization
import Testing

/// Runs `body` with a client whose service runs, and shuts it down afterwards.
func withClient<R: Sendable>(
    _ configuration: HTTPClientConfiguration = HTTPClientConfiguration(),
    _ body: @escaping @Sendable (HTTPClient) async throws -> R
) async throws -> R {
    let client = HTTPClient(configuration: configuration, logger: Logger(label: "test"))
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await client.run() }
        let result = try await body(client)
        group.cancelAll()
        return result
    }
}

extension HTTPClient {
    /// The error of a request that is expected to fail.
    func failure(_ request: HTTPClientRequest, timeout: Duration = .seconds(20)) async -> HTTPClientError? {
        do throws(HTTPClientError) {
            let response = try await send(request, timeout: timeout)
            Issue.record("answered \(response.status)")
            return nil
        } catch {
            return error
        }
    }
}

let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One:  a b \r\n\r\nok"

func post(_ url: String, _ body: String = "{}") -> HTTPClientRequest {
    HTTPClientRequest(
        method: "POST", url: url, headers: [("Content-Type", "application/json")], body: Array(body.utf8))
}

/// What server threads saw, for the test to read.
final class Seen<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) {
        state = Mutex(value)
    }

    var value: Value { state.withLock { $0 } }

    func update(_ change: @Sendable (inout Value) -> Void) {
        state.withLock { change(&$0) }
    }
}
