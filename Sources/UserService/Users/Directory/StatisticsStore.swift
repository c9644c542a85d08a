import Foundation
import Postgres

/// The numbers for the dashboard.
struct UserStatistics: Sendable, Hashable {
    struct Day: Sendable, Hashable {
        /// `2026-11-24`, in UTC.
        let day: String
        let count: Int
    }

    var total: Int
    var active: Int
    var suspended: Int
    /// Oldest first, days without a new user too.
    var newUsers: [Day]
    /// Sessions begun, likewise; a session is kept for a day after its end at the latest.
    var signIns: [Day]
    var asOf: Date
}

/// Statistics in SQL.
struct StatisticsStore: Sendable {
    let postgres: PostgresClient

    /// Counts the users, and what was new on each of the last `days` days with today. Throws `PostgresError`.
    func statistics(days: Int) async throws(PostgresError) -> UserStatistics {
        let rows = try await postgres.read(
            """
            select count(*) filter (where status = 'active'), count(*) filter (where status = 'suspended'), now() from users
            """)
        guard let row = rows.first else { throw PostgresError(.decoding, "no totals") }
        let (active, suspended, asOf) = try row.decode((Int, Int, Date).self)
        return UserStatistics(
            total: active + suspended, active: active, suspended: suspended,
            newUsers: try await perDay(.users, days), signIns: try await perDay(.sessions, days), asOf: asOf)
    }

    /// The tables whose rows are counted by the day of their creation; both have an index of it.
    private enum Table: String { case users, sessions }

    private func perDay(_ table: Table, _ days: Int) async throws(PostgresError) -> [UserStatistics.Day] {
        let rows = try await postgres.read(
            """
            with period as (
                select date_trunc('day', now() at time zone 'UTC') as last,
                    date_trunc('day', now() at time zone 'UTC') - make_interval(days => \(Int32(clamping: days - 1))) as first
            ), counts as (
                select date_trunc('day', created_at at time zone 'UTC') as day, count(*) as count
                from \(unescaped: table.rawValue)
                where created_at >= (select first at time zone 'UTC' from period) group by 1
            )
            select to_char(d.day, 'YYYY-MM-DD'), coalesce(c.count, 0)
            from period, generate_series(period.first, period.last, interval '1 day') d (day)
            left join counts c using (day) order by 1
            """)
        var result: [UserStatistics.Day] = []
        for row in rows {
            let (day, count) = try row.decode((String, Int).self)
            result.append(UserStatistics.Day(day: day, count: count))
        }
        return result
    }
}
