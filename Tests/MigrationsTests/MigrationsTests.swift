import Foundation
import Logging
import Migrations
import Postgres
import PostgresTestKit
import Testing

@Suite struct MigrationsTests {
    private let logger = Logger(label: "tests")

    private func good() throws -> MigrationSet { try MigrationSet(bundle: .module, directory: "Fixtures/good") }

    private func configuration(_ database: TestDatabase) throws -> PostgresConfiguration {
        try database.cluster.configuration(database.name)
    }

    @Test func appliesInOrderAndOnce() async throws {
        try await withTestDatabase { database in
            let set = try good()
            let before = try await set.status(database.client)
            #expect(before == .outdated(pending: [1, 2]))
            let first = try await set.apply(to: configuration(database), logger: logger)
            let second = try await set.apply(to: configuration(database), logger: logger)
            #expect(first == [1, 2] && second == [])
            let after = try await set.status(database.client)
            #expect(after == .current)
            let names = try await database.client.read("SELECT name FROM things").column(String.self)
            #expect(names == ["thing", "thing"])
        }
    }

    @Test func fiveThatStartTogetherApplyEachOnce() async throws {
        try await withTestDatabase { database in
            let set = try good()
            let configuration = try configuration(database)
            let counts = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<5 { group.addTask { try await set.apply(to: configuration, logger: logger).count } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(counts.sorted() == [0, 0, 0, 0, 2])
        }
    }

    @Test func anEditedMigrationIsRefused() async throws {
        try await withTestDatabase { database in
            let set = try good()
            _ = try await set.apply(to: configuration(database), logger: logger)
            let edited = try MigrationSet(
                set.migrations.map { Migration(version: $0.version, name: $0.name, sql: $0.sql + " ") })
            await #expect(throws: MigrationError.changed(version: 1, name: "create_things")) {
                try await edited.apply(to: configuration(database), logger: logger)
            }
        }
    }

    @Test func aFailureLeavesTheVersionBeforeIt() async throws {
        try await withTestDatabase { database in
            let broken = try MigrationSet([
                Migration(version: 1, name: "fine", sql: "CREATE TABLE a (n int8)"),
                Migration(version: 2, name: "broken", sql: "CREATE TABLE b (n int8); SELECT 1 / 0"),
            ])
            let error = await #expect(throws: MigrationError.self) {
                try await broken.apply(to: configuration(database), logger: logger)
            }
            guard case .failed(version: 2, name: "broken", _) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            let status = try await broken.status(database.client)
            #expect(status == .outdated(pending: [2]))
            let tables = try await database.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
            #expect(tables == ["a", "schema_migrations"])
        }
    }

    @Test func anOlderProgramServesOnANewerSchema() async throws {
        try await withTestDatabase { database in
            let set = try good()
            _ = try await set.apply(to: configuration(database), logger: logger)
            let older = try MigrationSet([set.migrations[0]])
            let status = try await older.status(database.client)
            #expect(status == .current)
            let applied = try await older.apply(to: configuration(database), logger: logger)
            #expect(applied == [])
        }
    }

    @Test func aDoubleNumberIsRefused() {
        #expect(throws: MigrationError.badSequence("number 1 belongs to m and m")) {
            try MigrationSet([1, 2, 1].map { Migration(version: $0, name: "m", sql: "") })
        }
    }

    @Test func numbersMayBeLeftOutAndComeLate() async throws {
        try await withTestDatabase { database in
            let first = Migration(version: 1, name: "one", sql: "CREATE TABLE a (n int8)")
            let late = Migration(version: 10, name: "ten", sql: "ALTER TABLE a ADD COLUMN ten int8")
            let last = Migration(version: 30, name: "thirty", sql: "ALTER TABLE a ADD COLUMN thirty int8")
            let without = try await MigrationSet([last, first]).apply(to: configuration(database), logger: logger)
            #expect(without == [1, 30])
            let all = try MigrationSet([first, late, last])
            let status = try await all.status(database.client)
            #expect(status == .outdated(pending: [10]))
            let with = try await all.apply(to: configuration(database), logger: logger)
            #expect(with == [10])
        }
    }

    @Test func checksumIsTheSHA256OfTheText() {
        let checksum = Migration(version: 1, name: "m", sql: "abc").checksum
        #expect(checksum == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
}
