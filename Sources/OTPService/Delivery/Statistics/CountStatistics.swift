package import Foundation
package import Logging
package import Postgres
import ServiceLifecycle

/// Keeps the slices counted: each once it is over, and again whatever is marked.
///
/// Every instance runs it; a lock lets one count at a time. All that a slice says comes from its rows in one transaction, so that
/// a crash loses nothing and nothing is counted twice.
package struct CountStatistics: Service {
    /// A challenge lives ten minutes at most; five more for clocks that differ.
    static let settling: TimeInterval = 900
    static let slice: TimeInterval = 300
    /// How long a message that waits holds the counting up.
    static let patience: TimeInterval = 7200
    /// Days that the numbers by hour are kept.
    static let kept = 400

    let postgres: PostgresClient
    /// `OTP_RETENTION_DAYS`: how long there are rows to count, and numbers by block.
    let days: Int
    let logger: Logger

    /// Counts in this database.
    package init(postgres: PostgresClient, days: Int, logger: Logger) {
        self.postgres = postgres
        self.days = days
        self.logger = logger
    }

    /// Counts every five seconds what has become countable.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    while try await step() {
                        // A long way to catch up must not take the machine from those who sign in.
                        try? await Task.sleep(for: .milliseconds(5))
                    }
                } catch {
                    logger.warning("numbers are late", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: .seconds(5))
            }
        }
    }

    /// Counts one slice, or sums up one old day; false if there is nothing to do. Throws `PostgresError`.
    package func step(at moment: Date? = nil) async throws -> Bool {
        if Task.isCancelled { return false }
        return try await postgres.transaction { transaction in
            let lock = try await transaction.query(
                "SELECT pg_try_advisory_xact_lock(hashtextextended('count_statistics', 0)), coalesce(\(moment), now())")
            guard let (isMine, now) = try lock.first?.decode((Bool, Date).self), isMine else { return false }
            if let slice = try await marked(transaction, now: now) {
                try await count(slice, transaction)
                return true
            }
            if let slice = try await next(transaction, now: now) {
                try await count(slice, transaction)
                return true
            }
            let folded = try await transaction.query(
                "SELECT fold_statistics(\(now), \(Self.kept), \(days))")
            if try folded.first?.decode(column: 0) == true { return true }
            try await forget(transaction, now: now)
            return false
        }
    }

    /// Forgets what is too old, also where no day is left to be summed up: nothing was sent for a while.
    private func forget(_ transaction: PostgresTransaction, now: Date) async throws {
        let kept = [("statistics", Self.kept), ("statistics_failures", Self.kept), ("statistics_prefixes", days)]
        for (table, days) in kept {
            _ = try await transaction.query(
                """
                DELETE FROM \(unescaped: table)
                WHERE since < date_trunc('day', \(now)::timestamptz, 'UTC') - \(days) * interval '24 h'
                """)
        }
    }

    /// Takes all marks of the oldest marked slice that were there a moment ago. What is counted afterwards is at least as new.
    private func marked(_ transaction: PostgresTransaction, now: Date) async throws -> Date? {
        // What was summed up or forgotten cannot be counted again, and what is not counted yet need not be.
        _ = try await transaction.query(
            """
            DELETE FROM statistics_marks m USING statistics_progress p
            WHERE m.since < p.folded_to OR m.since >= p.counted_to
                OR m.since < \(now) - \(days) * interval '24 h'
            """)
        let rows = try await transaction.query(
            """
            DELETE FROM statistics_marks WHERE since = (SELECT min(since) FROM statistics_marks) RETURNING since
            """)
        return try rows.first?.decode(column: 0)
    }

    /// The next slice that is over and settled; while messages of it still wait to be sent, it is not.
    private func next(_ transaction: PostgresTransaction, now: Date) async throws -> Date? {
        let rows = try await transaction.query(
            """
            UPDATE statistics_progress p SET counted_to = p.counted_to + \(Self.slice) * interval '1 s'
            FROM statistics_progress before
            WHERE p.counted_to + \(Self.slice + Self.settling) * interval '1 s' <= \(now)
                AND (p.counted_to + \(Self.slice + Self.patience) * interval '1 s' <= \(now)
                    OR NOT EXISTS (
                        SELECT FROM messages m WHERE m.state = 'queued'
                            AND m.challenge_id < first_id(p.counted_to + \(Self.slice) * interval '1 s')))
            RETURNING before.counted_to
            """)
        return try rows.first?.decode(column: 0)
    }

    /// Replaces what is said of a slice by what its rows say now.
    private func count(_ since: Date, _ transaction: PostgresTransaction) async throws {
        let until = since.addingTimeInterval(Self.slice)
        let tally = StatisticsTally(try await transaction.groups(from: since, until: until))
        for table in ["statistics", "statistics_failures", "statistics_prefixes"] {
            _ = try await transaction.query(
                "DELETE FROM \(unescaped: table) WHERE since >= \(since) AND since < \(until)")
        }
        if tally.counts.isEmpty { return }
        let counts = tally.counts.map { ($0.key, $0.value) }
        _ = try await transaction.query(
            """
            INSERT INTO statistics (
                since, country, channel, sent, submitted, delivered, failed, verified,
                \(unescaped: VerifyTimes.columns.joined(separator: ", ")))
            SELECT \(since), country, channel::channel, sent, submitted, delivered, failed, verified,
                \(unescaped: (1...VerifyTimes.count).map { "(times::int8[])[\($0)]" }.joined(separator: ", "))
            FROM unnest(
                \(counts.map(\.0.country)), \(counts.map(\.0.channel.rawValue)), \(counts.map(\.1.sent)),
                \(counts.map(\.1.submitted)), \(counts.map(\.1.delivered)), \(counts.map(\.1.failed)),
                \(counts.map(\.1.verified)),
                \(counts.map { "{" + $0.1.times.counts.map(String.init).joined(separator: ",") + "}" }))
                AS t (country, channel, sent, submitted, delivered, failed, verified, times)
            """)
        _ = try await transaction.query(
            """
            INSERT INTO statistics_failures (since, reason, failed)
            SELECT \(since), reason, failed
            FROM unnest(\(Array(tally.failures.keys)), \(Array(tally.failures.values))) AS t (reason, failed)
            """)
        let blocks = tally.busiestPrefixes
        _ = try await transaction.query(
            """
            INSERT INTO statistics_prefixes (since, prefix, country, sent, delivered, failed, verified)
            SELECT \(since), * FROM unnest(
                \(blocks.map(\.prefix)), \(blocks.map(\.country)), \(blocks.map(\.counts.sent)),
                \(blocks.map(\.counts.delivered)), \(blocks.map(\.counts.failed)), \(blocks.map(\.counts.verified)))
            """)
    }
}
