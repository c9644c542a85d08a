import Foundation
import Logging
import Postgres
import PostgresTestKit
import Testing

@testable import OTPService

@Suite("Sums of the numbers for the console", .timeLimit(.minutes(3)))
struct StatisticsSumsTests {
    /// What differs between the sums and the slices that they are of; nothing, as a rule.
    static let differences = """
        WITH kept AS (
            SELECT since AS day, country, channel, sum(sent) AS sent, sum(submitted + delivered + failed + verified) AS rest,
                sum(t0 + t3 + t19) AS times
            FROM statistics_sums WHERE unit = 'day' GROUP BY 1, 2, 3
        ), counted AS (
            SELECT date_trunc('day', since, 'UTC') AS day, country, channel, sum(sent) AS sent,
                sum(submitted + delivered + failed + verified) AS rest, sum(t0 + t3 + t19) AS times
            FROM statistics GROUP BY 1, 2, 3
        ), blocks AS (
            SELECT date_trunc('day', since, 'UTC') AS day, prefix, sum(sent) AS sent, sum(delivered) AS delivered
            FROM statistics_prefixes GROUP BY 1, 2
        )
        SELECT 'day ' || coalesce(k.day, c.day) FROM kept k FULL JOIN counted c USING (day, country, channel)
        WHERE (k.sent, k.rest, k.times) IS DISTINCT FROM (c.sent, c.rest, c.times)
        UNION ALL
        SELECT 'block ' || coalesce(k.prefix, b.prefix) FROM statistics_blocks k FULL JOIN blocks b USING (day, prefix)
        WHERE (k.sent, k.delivered) IS DISTINCT FROM (b.sent, b.delivered)
        """

    @Test("sums follow slices that come, are counted again, summed up and forgotten")
    func follow() async throws {
        let numbers = StatisticsTests()
        try await numbers.withBench { bench in
            func differ() async throws -> [String?] { try await bench.database.execute(Self.differences) }
            let now = StatisticsTests.now
            for hour in 1...60 {
                _ = try await bench.add(
                    now.addingTimeInterval(Double(-hour) * 3600), phone: "+9198765432\(10 + hour % 7)",
                    state: hour % 3 == 0 ? "failed" : "delivered", verified: hour % 2 == 0)
            }
            try await bench.countAll(at: now)
            #expect(try await differ() == [])
            #expect(
                try await bench.database.execute("SELECT sum(sent) FROM statistics_sums WHERE unit = 'day'") == ["60"])
            #expect(
                try await bench.database.execute("SELECT sum(sent) FROM statistics_sums WHERE unit = 'hour'") == ["60"])
            // All anew, with other numbers, and some of it gone.
            try await bench.database.execute(
                """
                UPDATE messages SET state = 'delivered';
                DELETE FROM challenges WHERE id IN (SELECT challenge_id FROM messages ORDER BY challenge_id LIMIT 20);
                INSERT INTO statistics_marks (since) SELECT DISTINCT since FROM statistics
                """)
            try await bench.countAll(at: now)
            #expect(try await differ() == [])
            #expect(
                try await bench.database.execute("SELECT sum(sent) FROM statistics_sums WHERE unit = 'day'") == ["40"])
            let later = now.addingTimeInterval(8 * DaysTests.day)
            try await bench.database.execute(
                "UPDATE statistics_progress SET counted_to = slice_of(to_timestamp(\(later.timeIntervalSince1970)))")
            try await bench.countAll(at: later)
            #expect(
                try await bench.database.execute(
                    "SELECT count(*) FROM statistics WHERE since <> date_trunc('hour', since)") == ["0"])
            #expect(try await differ() == [])
            #expect(try await bench.store.read(days: 12, at: later).total.sent == 40)
            try await bench.database.execute("DELETE FROM statistics; DELETE FROM statistics_prefixes")
            #expect(try await differ() == [])
            #expect(try await bench.database.execute("SELECT count(*) FROM statistics_sums") == ["0"])
        }
    }

    @Test("what was counted before there were sums is in them")
    func before() async throws {
        try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
            let columns = VerifyTimes.columns.map { _ in "1" }.joined(separator: ", ")
            // As the version before left it: slices, and no sums.
            try await database.execute(
                """
                INSERT INTO statistics SELECT now() - n * interval '7 hours', 'IN', 'sms', 9, 9, 8, 1, 7, \(columns)
                FROM generate_series(1, 50) n;
                INSERT INTO statistics_prefixes SELECT now() - n * interval '7 hours', '+9198765', 'IN', 9, 8, 1, 7
                FROM generate_series(1, 50) n;
                DROP TABLE statistics_sums, statistics_blocks;
                DROP FUNCTION add_statistics, take_statistics, add_blocks, take_blocks CASCADE
                """)
            let script = try String(
                contentsOf: OTPService.migrationsDirectory.appending(path: "0051_statistics_sums.sql"), encoding: .utf8)
            try await database.execute("BEGIN;\(script);COMMIT")
            #expect(try await database.execute(Self.differences) == [])
            #expect(try await database.execute("SELECT sum(sent) FROM statistics_sums WHERE unit = 'day'") == ["450"])
            #expect(try await database.execute("SELECT sum(sent) FROM statistics_blocks") == ["450"])
        }
    }
}
