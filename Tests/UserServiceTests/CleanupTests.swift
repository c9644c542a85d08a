import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing
import Tokens

@testable import UserService

@Suite("The cleanup")
struct CleanupTests {
    func cleanup(_ database: TestDatabase) -> Cleanup {
        Cleanup(postgres: database.client, interval: .seconds(86_400), logger: quietLogger)
    }

    /// The partitions that there are, by name, without the table's own.
    func partitions(_ database: TestDatabase) async throws -> [String] {
        try await database.client.read(
            """
            select substr(c.relname, 20) from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = 'blacklisted_tokens'::regclass order by 1
            """
        ).map { try $0.decode((String).self) }
    }

    func list(_ database: TestDatabase, _ count: Int, expiring interval: String) async throws {
        try await database.execute(
            """
            insert into blacklisted_tokens select sha256((g || '\(interval)')::bytea), now() + interval '\(interval)'
            from generate_series(1, \(count)) g
            """)
    }

    func count(_ database: TestDatabase, _ table: String = "blacklisted_tokens") async throws -> Int {
        try #require(try await database.client.read("select count(*) from \(unescaped: table)").first).decode(
            (Int).self)
    }

    @Test("drops the days that have passed and makes those to come, at most eight in all")
    func partitionsByDay() async throws {
        try await withUserDatabase { database in
            #expect(try await partitions(database).count == 4)
            try await list(database, 1000, expiring: "15 minutes")
            // Four days later, by the argument that tests may give.
            let rows = try await database.client.write(
                "select partitions_made, partitions_dropped, rows_deleted from maintain_blacklisted_tokens(now() + interval '4 days')"
            )
            let (made, dropped, deleted) = try #require(rows.first).decode((Int, Int, Int).self)
            #expect(made == 3)
            #expect(dropped == 3)
            #expect(deleted == 0)
            #expect(try await count(database) == 0)
            #expect(try await partitions(database).count == 4)
        }
    }

    @Test("keeps what has not expired, and makes today's partition again around it")
    func keepsLiveOnes() async throws {
        try await withUserDatabase { database in
            let report = try await cleanup(database).clean()
            #expect(report == CleanupReport())
            try await database.execute(
                """
                do $$ declare name text; begin
                for name in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
                    where i.inhparent = 'blacklisted_tokens'::regclass and c.relname ~ '[0-9]{8}$'
                loop execute format('drop table %I', name); end loop; end $$
                """)
            // Without partitions a logout goes to the default.
            try await list(database, 100, expiring: "20 minutes")
            try await list(database, 10, expiring: "-2 hours")
            #expect(try await count(database, "blacklisted_tokens_default") == 110)
            let again = try await cleanup(database).clean()
            #expect(again.partitionsMade == 3)
            // The expired ones are in today's partition now, or were deleted from the default when yesterday's.
            #expect(try await count(database) == 110 - again.rowsDeleted)
            #expect(try await count(database, "blacklisted_tokens_default") == 0)
        }
    }

    @Test("empties the default partition at once, or in batches if live rows are in it", arguments: [false, true])
    func defaultPartition(_ hasLiveRow: Bool) async throws {
        try await withUserDatabase { database in
            try await list(database, 25_000, expiring: "-3 days")
            if hasLiveRow { try await list(database, 1, expiring: "9 days") }
            #expect(try await count(database, "blacklisted_tokens_default") == (hasLiveRow ? 25_001 : 25_000))
            let report = try await cleanup(database).clean()
            #expect(report.rowsDeleted == 25_000)
            #expect(try await count(database) == (hasLiveRow ? 1 : 0))
        }
    }

    @Test("is done by one instance at a time")
    func once() async throws {
        try await withUserDatabase { database in
            try await database.client.transaction { transaction in
                _ = try await transaction.query("select maintain_blacklisted_tokens()")
                let report = try await cleanup(database).clean()
                #expect(report == CleanupReport(wasMine: false))
                #expect(report.sentence.hasPrefix("Another instance"))
            }
            let reports = try await atOnce(5) { _ in try await cleanup(database).clean() }
            #expect(reports.contains { $0.wasMine })
        }
    }

    @Test("does not wait behind a transaction that holds the table")
    func lockTimeout() async throws {
        try await withUserDatabase { database in
            try await database.client.transaction { transaction in
                _ = try await transaction.query("select count(*) from blacklisted_tokens")
                // In a session that would wait for ever.
                let error = await #expect(throws: PostgresError.self) {
                    try await database.execute("select maintain_blacklisted_tokens(now() + interval '4 days')")
                }
                #expect(error?.sqlState == .lockNotAvailable)
            }
        }
    }

    @Test("deletes sessions a day after their absolute end")
    func sessions() async throws {
        try await withUserServer { server in
            for _ in 0..<3 { _ = try await server.login() }
            try await server.advance(30 * 86_400 + 60)
            let kept = try await cleanup(server.database).clean()
            #expect(kept.sessionsDeleted == 0)
            try await server.advance(86_400)
            _ = try await server.login()
            let report = try await cleanup(server.database).clean()
            #expect(report.sessionsDeleted == 3)
            #expect(try await server.count("select count(*) from sessions") == 1)
        }
    }
}
