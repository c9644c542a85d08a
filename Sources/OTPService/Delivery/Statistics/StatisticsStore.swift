package import Foundation
package import Postgres

/// Numbers that are kept by slices of five minutes, and the rest from the rows themselves: the answer is exact to its
/// `as_of`. Everything throws `PostgresError`.
package struct StatisticsStore: Sendable {
    let postgres: PostgresClient

    /// Reads from this database.
    package init(postgres: PostgresClient) {
        self.postgres = postgres
    }

    /// The last `days` UTC days, today included. One snapshot: a slice that is counted meanwhile is in it once.
    package func read(days: Int, at moment: Date? = nil) async throws -> Statistics {
        let sums = try await postgres.transaction(isolation: .repeatableRead) { transaction in
            let rows = try await transaction.query(
                "SELECT coalesce(\(moment), now()), counted_to FROM statistics_progress, set_config('jit', 'off', true)"
            )
            guard let row = rows.first else { throw PostgresError(.decoding, "no progress of statistics") }
            let (now, countedTo) = try row.decode((Date, Date).self)
            let today = StatisticsSums.start(of: 86_400, now)
            var sums = StatisticsSums(first: today.addingTimeInterval(Double(1 - days) * 86_400), now: now)
            try await readCounted(into: &sums, transaction)
            try await readRows(from: max(countedTo, sums.first), into: &sums, transaction)
            try await readBlocks(into: &sums, transaction)
            return sums
        }
        return sums.statistics(outbox: try await Outbox(postgres: postgres).depth())
    }

    /// Days, and hours of the last two, are kept as sums, so that a year of slices need not be read.
    private func readCounted(into sums: inout StatisticsSums, _ transaction: PostgresTransaction) async throws {
        let rows = try await transaction.query(
            """
            SELECT unit = 'day', since, country, channel::text, sum(sent)::int8, sum(submitted)::int8, sum(delivered)::int8,
                sum(verified)::int8, sum(failed)::int8,
                ARRAY[\(unescaped: VerifyTimes.columns.map { "sum(\($0))" }.joined(separator: ", "))]::int8[]
            FROM statistics_sums
            WHERE unit = 'day' AND since >= \(sums.first)
                OR unit = 'hour' AND since >= \(sums.first) AND since >= \(sums.now) - interval '49 h'
            GROUP BY GROUPING SETS ((unit, since), (unit, country), (unit, channel))
            """)
        for row in rows {
            let (isDay, since, country, channel, sent, submitted, delivered, verified, failed, times) =
                try row.decode((Bool, Date?, String?, String?, Int, Int, Int, Int, Int, [Int]).self)
            let counts = MessageCounts(
                sent: sent, submitted: submitted, delivered: delivered, verified: verified, failed: failed,
                times: VerifyTimes(times))
            switch (isDay, since, country, channel) {
            case (true, let day?, _, _): sums.add(day: day, counts)
            case (false, let hour?, _, _): sums.add(hour: hour, counts)
            case (true, _, let country?, _): sums.add(country: country, counts)
            case (true, _, _, let channel?): sums.add(channel: channel, counts)
            default: break
            }
        }
        let failures = try await transaction.query(
            "SELECT reason, sum(failed)::int8 FROM statistics_failures WHERE since >= \(sums.first) GROUP BY 1")
        for row in failures {
            let (reason, count) = try row.decode((String, Int).self)
            sums.add(reason: reason, count)
        }
    }

    /// The two hundred busiest blocks of each day, added up: fifty are shown, of days on which almost the same ones are busy.
    ///
    /// They stand in an index in just that order. The planner would rather sort all blocks of each day, which is ten times as slow; so
    /// it may not, for the rest of the transaction.
    private func readBlocks(into sums: inout StatisticsSums, _ transaction: PostgresTransaction) async throws {
        _ = try await transaction.query(
            "SELECT set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true)")
        let blocks = try await transaction.query(
            """
            SELECT prefix, min(country), sum(sent)::int8, sum(delivered)::int8, sum(verified)::int8, sum(failed)::int8
            FROM generate_series(\(sums.first), \(sums.now), interval '24 h') AS days (day)
            CROSS JOIN LATERAL (
                SELECT * FROM statistics_blocks b WHERE b.day = days.day ORDER BY sent DESC, prefix LIMIT 200) AS blocks
            GROUP BY 1 ORDER BY 3 DESC LIMIT 500
            """)
        for row in blocks {
            let (prefix, country, sent, delivered, verified, failed) = try row.decode(
                (String, String, Int, Int, Int, Int).self)
            sums.add(
                prefix: prefix, country: country,
                MessageCounts(sent: sent, delivered: delivered, verified: verified, failed: failed))
        }
    }

    /// What is not counted yet: about twenty minutes, hour by hour. The last one reaches into the future, for the ids of clocks
    /// that are fast.
    private func readRows(
        from start: Date, into sums: inout StatisticsSums, _ transaction: PostgresTransaction
    ) async throws {
        var from = start
        while from <= sums.now {
            let hourEnd = StatisticsSums.start(of: 3600, from).addingTimeInterval(3600)
            let until = hourEnd > sums.now ? sums.now.addingTimeInterval(86_400) : hourEnd
            let groups = try await transaction.groups(from: from, until: until)
            sums.add(StatisticsTally(groups), at: from)
            from = hourEnd
        }
    }
}

extension PostgresTransaction {
    /// The messages of challenges whose ids were made in a span. Throws `PostgresError`.
    func groups(from: Date, until: Date) async throws(PostgresError) -> [MessageGroup] {
        let rows = try await query(
            """
            SELECT prefix, sample, channel, state, taken, reason, bucket, messages
            FROM count_messages(\(from), \(until))
            """)
        var groups: [MessageGroup] = []
        groups.reserveCapacity(rows.count)
        for row in rows {
            let (prefix, sample, channel, state, taken, reason, bucket, count) = try row.decode(
                (String, String, String, String, Bool, String?, Int?, Int).self)
            guard let channel = Channel(rawValue: channel), let state = MessageState(rawValue: state) else { continue }
            groups.append(
                MessageGroup(
                    prefix: prefix, sample: sample, channel: channel, state: state, taken: taken, reason: reason,
                    bucket: bucket, count: count))
        }
        return groups
    }
}
