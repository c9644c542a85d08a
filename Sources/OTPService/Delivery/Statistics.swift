package import Foundation
package import Postgres

/// One UTC day in numbers.
package struct DayStatistics: Sendable, Hashable, Encodable {
    /// `2026-11-24`.
    package let day: String
    /// Messages that were accepted for sending, resends included.
    package var sent = 0
    /// Of those, how many the gateway took; the delivered ones too.
    package var submitted = 0
    /// Of those, how many arrived, as far as reports tell.
    package var delivered = 0
    /// Challenges of that day that were answered rightly.
    package var verified = 0
    /// Messages that the gateway refused or that died waiting.
    package var failed = 0
}

/// What the console shows of this service.
package struct Statistics: Sendable, Encodable {
    /// Oldest first.
    package let days: [DayStatistics]
    /// Messages that wait now.
    package let outboxDepth: Int
    /// Age of the oldest of them.
    package let outboxOldestSeconds: Double
    /// When the database read all this.
    package let asOf: Date

    enum CodingKeys: String, CodingKey {
        case days
        case outboxDepth = "outbox_depth"
        case outboxOldestSeconds = "outbox_oldest_seconds"
        case asOf = "as_of"
    }
}

/// Numbers derived from the rows themselves, so that no send has to touch a shared counter.
///
/// Rows are found by the time inside their UUIDv7 ids: only the asked days are read. Everything throws `PostgresError`.
package struct StatisticsStore: Sendable {
    let postgres: PostgresClient

    /// Reads from this database.
    package init(postgres: PostgresClient) {
        self.postgres = postgres
    }

    /// The last `days` UTC days, today included, oldest first; days without messages are there with zeros.
    package func read(days: Int) async throws(PostgresError) -> Statistics {
        let rows = try await postgres.read(
            """
            WITH span AS (
                SELECT now() AS at, date_trunc('day', now() AT TIME ZONE 'UTC') - (\(days) - 1) * interval '1 day' AS first
            ), bound AS (
                SELECT (lpad(to_hex((extract(epoch FROM first AT TIME ZONE 'UTC') * 1000)::int8), 12, '0')
                    || repeat('0', 20))::uuid AS id
                FROM span
            ), sent AS (
                SELECT (created_at AT TIME ZONE 'UTC')::date AS day, count(*) AS sent,
                    count(*) FILTER (WHERE state IN ('submitted', 'unresolved', 'delivered')) AS submitted,
                    count(*) FILTER (WHERE state = 'delivered') AS delivered,
                    count(*) FILTER (WHERE state = 'failed') AS failed
                FROM messages WHERE challenge_id >= (SELECT id FROM bound) GROUP BY 1
            ), proved AS (
                SELECT (created_at AT TIME ZONE 'UTC')::date AS day, count(verified_at) AS verified
                FROM challenges WHERE id >= (SELECT id FROM bound) GROUP BY 1
            )
            SELECT d::date::text, coalesce(sent, 0), coalesce(submitted, 0), coalesce(delivered, 0),
                coalesce(verified, 0), coalesce(failed, 0), at
            FROM span, generate_series(first, at AT TIME ZONE 'UTC', interval '1 day') d
            LEFT JOIN sent ON sent.day = d::date
            LEFT JOIN proved ON proved.day = d::date
            ORDER BY d
            """)
        var asOf = Date()
        var result: [DayStatistics] = []
        for row in rows {
            let (day, sent, submitted, delivered, verified, failed, at) = try row.decode(
                (String, Int, Int, Int, Int, Int, Date).self)
            asOf = at
            result.append(
                DayStatistics(
                    day: day, sent: sent, submitted: submitted, delivered: delivered, verified: verified, failed: failed
                ))
        }
        let depth = try await Outbox(postgres: postgres).depth()
        return Statistics(
            days: result, outboxDepth: depth.count, outboxOldestSeconds: depth.oldestSeconds, asOf: asOf)
    }
}
