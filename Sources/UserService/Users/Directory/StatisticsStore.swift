import Foundation
import HTTPServer
import Postgres

/// The numbers for the dashboard.
struct UserStatistics: Sendable, Hashable {
    /// One day in UTC.
    struct Day: Sendable, Hashable {
        /// `2026-11-24`.
        let day: String
        /// Users made.
        var newUsers = 0
        /// Sessions begun.
        var signIns = 0
        /// Users who signed in or refreshed.
        var activeUsers = 0
    }

    /// How many users have each status.
    var active = 0
    var suspended = 0
    var deleted = 0
    /// Users who signed in or refreshed today, since Monday, and since the first of the month.
    var activeToday = 0
    var activeThisWeek = 0
    var activeThisMonth = 0
    /// Oldest first, days on which nothing happened too.
    var days: [Day]
    var asOf: Date

    /// All but the deleted.
    var total: Int { active + suspended }
}

/// Statistics in SQL.
struct StatisticsStore: Sendable {
    let postgres: PostgresClient

    /// Reads the figures, with those of the last `days` days, today's included. Throws `PostgresError`.
    ///
    /// Sums over the counters that triggers maintain (migration 0032): a few rows for each day that there ever was.
    func statistics(days: Int) async throws(PostgresError) -> UserStatistics {
        let rows = try await postgres.read(
            """
            with today as (
                select (now() at time zone 'UTC')::date as today
            ), counts as materialized (
                select day, sum(created)::int8 as created, sum(sign_ins)::int8 as sign_ins, sum(active_of_day)::int8 as of_day,
                    sum(active_of_week) as of_week, sum(active_of_month) as of_month,
                    sum(active) as active, sum(suspended) as suspended, sum(deleted) as deleted
                from user_counts group by day
            ), totals as (
                select coalesce(sum(active), 0)::int8 as active, coalesce(sum(suspended), 0)::int8 as suspended,
                    coalesce(sum(deleted), 0)::int8 as deleted,
                    coalesce(sum(of_day) filter (where day = today), 0)::int8 as of_today,
                    coalesce(sum(of_week) filter (where day between date_trunc('week', today) and today), 0)::int8 as of_week,
                    coalesce(sum(of_month) filter (where day between date_trunc('month', today) and today), 0)::int8 as of_month
                from counts, today
            )
            select to_char(d.day, 'YYYY-MM-DD'), coalesce(c.created, 0), coalesce(c.sign_ins, 0), coalesce(c.of_day, 0),
                t.active, t.suspended, t.deleted, t.of_today, t.of_week, t.of_month, now()
            from today, totals t,
                generate_series(today - \(Int32(clamping: days - 1)), today::timestamp, interval '1 day') d (day)
                left join counts c on c.day = d.day::date
            order by d.day
            """)
        guard let last = rows.last else { throw PostgresError(.decoding, "no totals") }
        var series: [UserStatistics.Day] = []
        for row in rows {
            let (day, newUsers, signIns, activeUsers) = (
                try row.decode(column: 0) as String, try row.decode(column: 1) as Int,
                try row.decode(column: 2) as Int, try row.decode(column: 3) as Int
            )
            series.append(.init(day: day, newUsers: newUsers, signIns: signIns, activeUsers: activeUsers))
        }
        return UserStatistics(
            active: try last.decode(column: 4), suspended: try last.decode(column: 5),
            deleted: try last.decode(column: 6), activeToday: try last.decode(column: 7),
            activeThisWeek: try last.decode(column: 8), activeThisMonth: try last.decode(column: 9), days: series,
            asOf: try last.decode(column: 10))
    }

    /// Sums the counters of days that are over, so that they stay few; returns how many rows that saved. Throws
    /// `PostgresError`.
    func compact() async throws(PostgresError) -> Int {
        let rows = try await postgres.write("select compact_user_counts()")
        return try rows.first?.decode(column: 0) ?? 0
    }
}

extension UserStatistics {
    var json: String {
        var json = JSONText(capacity: 512 + days.count * 120)
        json.open("{")
        json.member("users_total", total)
        json.member("users_active", active)
        json.member("users_suspended", suspended)
        json.member("users_deleted", deleted)
        json.member("active_today", activeToday)
        json.member("active_this_week", activeThisWeek)
        json.member("active_this_month", activeThisMonth)
        write("new_users", \.newUsers, to: &json)
        write("sign_ins", \.signIns, to: &json)
        write("active_users", \.activeUsers, to: &json)
        json.member("as_of", Timestamp.text(asOf))
        json.close("}")
        return json.text
    }

    private func write(_ name: String, _ count: (Day) -> Int, to json: inout JSONText) {
        json.name(name)
        json.open("[")
        for day in days {
            json.open("{")
            json.member("day", day.day)
            json.member("count", count(day))
            json.close("}")
        }
        json.close("]")
    }
}
