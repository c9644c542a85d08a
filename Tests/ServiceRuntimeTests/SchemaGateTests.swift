import HTTPServer
import Logging
import Migrations
import Postgres
import PostgresTestKit
import ServiceLifecycle
import ServiceRuntime
import Testing

@Suite struct SchemaGateTests {
    private static let migrations = [
        Migration(version: 1, name: "one", sql: "CREATE TABLE one (id int)"),
        Migration(version: 2, name: "two", sql: "CREATE TABLE two (id int)"),
    ]

    private let logger = Logger(label: "test")

    /// Runs the gate until it has an opinion or its time is up.
    private func run(_ gate: SchemaGate, until: @escaping @Sendable () async -> Bool) async throws -> Bool {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await gate.run() }
            group.addTask {
                for _ in 0..<1000 where await !until() { try await Task.sleep(for: .milliseconds(10)) }
            }
            try await group.next()
            group.cancelAll()
            return gate.isOpen
        }
    }

    @Test func aCurrentSchemaOpensTheGate() async throws {
        try await withTestDatabase { database in
            let set = try MigrationSet(Self.migrations)
            let configuration = try PostgresConfiguration(url: database.url, applicationName: "test", poolSize: 4)
            _ = try await set.apply(to: configuration, logger: logger)
            let gate = SchemaGate(migrations: set, client: database.client, logger: logger)
            #expect(try await run(gate) { gate.isOpen })
        }
    }

    @Test func anOutdatedSchemaIsRefusedWithItsNumbers() async throws {
        try await withTestDatabase { database in
            let configuration = try PostgresConfiguration(url: database.url, applicationName: "test", poolSize: 4)
            _ = try await MigrationSet(Array(Self.migrations.prefix(1))).apply(to: configuration, logger: logger)
            let gate = SchemaGate(
                migrations: try MigrationSet(Self.migrations), client: database.client, logger: logger)
            let error = await #expect(throws: OutdatedSchema.self) { try await run(gate) { gate.isOpen } }
            #expect(error?.pending == [2])
            #expect(!gate.isOpen)
        }
    }

    @Test func anAbsentDatabaseIsWaitedFor() async throws {
        let configuration = try PostgresConfiguration(
            url: "postgresql://nobody@127.0.0.1:1/nothing", applicationName: "test", poolSize: 4)
        let client = try PostgresClient(configuration: configuration, logger: logger)
        let gate = SchemaGate(migrations: try MigrationSet(Self.migrations), client: client, logger: logger)
        let start = ContinuousClock.now
        #expect(try await !run(gate) { ContinuousClock.now - start > .seconds(3) })
        await client.shutDown()
    }

    @Test func errorsOfTheDatabaseBecomeProblems() {
        for kind in [.unavailable, .timeout, .outcomeUnknown, .cancelled] as [PostgresError.Kind] {
            let problem = Problem(PostgresError(kind, "test"))
            #expect(problem?.type == .serviceUnavailable)
            #expect(problem?.retryAfter == 1)
        }
        #expect(Problem(PostgresError(.decoding, "test")) == nil)
        #expect(Problem(PostgresError(.server, "test")) == nil)
    }
}
