package import Logging
package import Migrations
package import Postgres
import ServiceLifecycle
import Synchronization

/// Keeps a service from working on a schema that is older than the program.
///
/// As long as the database cannot be reached it asks again: the service lives, and is not ready. Throws
/// ``OutdatedSchema`` once the database says that migrations are missing, which ends the process.
package final class SchemaGate: Service {
    private enum State { case unknown, unreachable, outdated, current }

    private let migrations: MigrationSet
    private let client: PostgresClient
    private let logger: Logger
    private let state = Mutex(State.unknown)

    package init(migrations: MigrationSet, client: PostgresClient, logger: Logger) {
        self.migrations = migrations
        self.client = client
        self.logger = logger
    }

    /// Whether the schema was seen to be current.
    package var isOpen: Bool { state.withLock { $0 == .current } }

    package func run() async throws {
        try await cancelWhenGracefulShutdown { [self] in
            do {
                while try await !ask() { try await Task.sleep(for: .milliseconds(500)) }
            } catch is CancellationError {
                return
            }
            try? await gracefulShutdown()
        }
    }

    private func ask() async throws -> Bool {
        switch try await migrations.status(client) {
        case .current:
            state.withLock { $0 = .current }
            return true
        case .outdated(let pending):
            state.withLock { $0 = .outdated }
            throw OutdatedSchema(pending: pending)
        case .unreachable:
            let isNews = state.withLock { state in
                defer { state = .unreachable }
                return state != .unreachable
            }
            if isNews { logger.warning("The database cannot be reached; trying until it can") }
            return false
        }
    }

    /// Waits for the first answer, but no longer than a second. Throws if the schema is outdated.
    func firstAnswer() async throws {
        for _ in 0..<200 where state.withLock({ $0 == .unknown }) { try await Task.sleep(for: .milliseconds(5)) }
        if state.withLock({ $0 == .outdated }) { throw CancellationError() }
    }

    /// Waits until the gate is open. Throws when the service is to stop before that.
    func opening() async throws {
        while !isOpen { try await Task.sleep(for: .milliseconds(10)) }
    }
}

/// The database lacks migrations that the program needs.
package struct OutdatedSchema: Error, CustomStringConvertible {
    /// The numbers of the missing migrations.
    package let pending: [Int]

    package var description: String {
        let numbers = pending.map(String.init).joined(separator: ", ")
        let missing = pending.count == 1 ? "migration \(numbers) is missing" : "migrations \(numbers) are missing"
        return "The database schema is older than this program: \(missing). Run the command migrate first."
    }
}

/// Starts the server once the schema is known, so that no port opens for a service that has to refuse.
struct GatedServer<Server: Service>: Service {
    let gate: SchemaGate
    let server: Server

    func run() async throws {
        // The gate itself throws the reason.
        do { try await gate.firstAnswer() } catch { return try await gracefulShutdown() }
        try await server.run()
    }
}

/// Starts a worker once the schema is there that it works on.
struct GatedWorker: Service {
    let gate: SchemaGate
    let worker: any Service

    func run() async throws {
        let gate = gate
        let isOpen = try await cancelWhenGracefulShutdown {
            do { try await gate.opening() } catch is CancellationError { return false }
            return true
        }
        if isOpen { try await worker.run() }
    }
}
