package import Foundation
package import Postgres

/// How far the day's messages are used up, and whether sending is paused.
package struct BudgetView: Sendable, Hashable {
    /// The UTC day, `2026-11-24`.
    package let day: String
    /// Messages that the day was charged with, while there was a budget: without one nothing is charged.
    package let used: Int
    /// Nothing is sent until an operator resumes it.
    package let paused: Bool
    /// Since when it is so.
    package let since: Date
    /// The service by which it was changed last; nil: never.
    package let changedBy: String?
    package let reason: String?
    package let asOf: Date
}

/// The daily budget and the switch in the database. Everything throws `PostgresError`.
package struct BudgetStore: Sendable {
    let postgres: PostgresClient

    /// Reads and writes this database.
    package init(postgres: PostgresClient) { self.postgres = postgres }

    /// How things stand.
    package func view() async throws(PostgresError) -> BudgetView {
        let rows = try await postgres.read(
            """
            SELECT (now() AT TIME ZONE 'UTC')::date::text,
                (SELECT coalesce(sum(used), 0)::int8 FROM sms_budget WHERE day = (now() AT TIME ZONE 'UTC')::date),
                paused, since, nullif(changed_by, ''), reason, now()
            FROM sending_switch
            """)
        guard let row = rows.first else { throw PostgresError(.decoding, "the sending switch is not there") }
        let (day, used, paused, since, changedBy, reason, now) = try row.decode(
            (String, Int, Bool, Date, String?, String?, Date).self)
        return BudgetView(
            day: day, used: used, paused: paused, since: since, changedBy: changedBy, reason: reason, asOf: now)
    }

    /// Pauses or resumes sending, again and again with the same effect; with a key only once.
    @discardableResult package func setPaused(
        _ paused: Bool, by service: String, reason: String?, key: ActKey? = nil
    ) async throws(PostgresError) -> ActOutcome {
        try ActOutcome(
            try await postgres.write(
                """
                WITH begun AS MATERIALIZED (
                    SELECT begin_act(\(key?.text), \(paused ? "pause" : "resume"), 'all') AS outcome
                ), changed AS (
                    UPDATE sending_switch s
                    SET paused = \(paused), since = now(), changed_by = \(service), reason = \(reason)
                    FROM begun b WHERE b.outcome = 'new' AND s.paused <> \(paused)
                )
                SELECT outcome FROM begun
                """))
    }

    /// Forgets days that are more than a week ago.
    package func purge() async throws(PostgresError) {
        _ = try await postgres.write(
            "DELETE FROM sms_budget WHERE day < (now() AT TIME ZONE 'UTC')::date - 7")
    }
}
