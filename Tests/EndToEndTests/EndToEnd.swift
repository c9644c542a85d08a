import PostgresTestKit
import ServiceTestKit
import Testing

/// The three services as processes. One test at a time: each starts processes and measures none of the others.
@Suite(.serialized) enum EndToEnd {}

extension Deployment {
    /// Runs `body` with another instance of a service beside the one that runs, on the same database.
    func beside<Value: Sendable>(_ part: Part, databaseURL: String? = nil, _ body: (API) async throws -> Value)
        async throws -> Value
    {
        let port = try TestCluster.freePort()
        var environment = environment(part, databaseURL: databaseURL)
        environment["PORT"] = "\(port)"
        let process = try ServiceProcess(part.rawValue, environment: environment, port: port)
        do {
            try await API(port: port).wait(for: "/health/ready", status: 200)
            let value = try await body(API(port: port))
            try await process.crash()
            return value
        } catch {
            try? await process.crash()
            throw error
        }
    }
}
