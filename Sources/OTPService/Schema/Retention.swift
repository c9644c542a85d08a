package import Foundation
package import Logging
package import Postgres
import ServiceLifecycle

/// What one round of ``Retention`` did.
package struct RetentionReport: Sendable, Hashable {
    /// Steps of `maintain_days`, by what was done: `made`, `closed`, `archived`, `dropped`.
    package var days: [String: Int] = [:]
    /// Limits that had run out, phones with nothing to remember, and rows outside of all days.
    package var rows = 0
}

/// Makes the tables of the days to come, and forgets what is no longer needed: whole days of challenges and messages after
/// `OTP_RETENTION_DAYS`, limits that have run out, and phones that have nothing to be remembered.
///
/// Runs at start and every ten minutes, on every instance; a lock lets one work on the days at a time. Rows go in batches,
/// each a statement of its own, with a pause between them.
package struct Retention: Service {
    let postgres: PostgresClient
    let days: Int
    let logger: Logger

    /// Keeps rows for so many days.
    package init(postgres: PostgresClient, days: Int, logger: Logger) {
        self.postgres = postgres
        self.days = days
        self.logger = logger
    }

    /// Sees to the days at once and every ten minutes, and to single rows hourly.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var round = 0
            while !Task.isCancelled {
                await attempt(withRows: round % 6 == 1)
                round += 1
                // The second round soon: a start has better things to do than to look for old rows.
                try? await Task.sleep(for: .seconds(round == 1 ? 60 : 600))
            }
        }
    }

    private func attempt(withRows: Bool) async {
        do {
            var report = RetentionReport()
            report.days = try await maintainDays()
            if withRows { report.rows = try await purge() }
            if report != RetentionReport() {
                var metadata = report.days.mapValues { Logger.MetadataValue.string("\($0)") }
                metadata["rows"] = "\(report.rows)"
                logger.info("days were made and forgotten", metadata: metadata)
            }
        } catch {
            logger.warning("old rows stay for now", metadata: ["error": "\(error)"])
        }
    }

    /// Does all that days need, one step after the other, each a transaction; returns how many steps of which kind. Throws
    /// `PostgresError`: after a lock that was not given in time the next round tries again.
    package func maintainDays(at moment: Date? = nil) async throws -> [String: Int] {
        var steps: [String: Int] = [:]
        while !Task.isCancelled {
            // Not in the lane of writes: a change of tables must not stand before anybody's statement.
            let done = try await postgres.transaction { transaction -> String? in
                let rows = try await transaction.query("SELECT done FROM maintain_days(\(moment), \(days))")
                return try rows.first?.decode(column: 0)
            }
            guard let done else { break }
            steps[done, default: 0] += 1
        }
        return steps
    }

    /// Deletes single rows that are due; returns how many. Throws `PostgresError`.
    package func purge() async throws -> Int {
        var total = 0
        let strays = ["messages", "past_messages"].map(messages) + ["challenges", "past_challenges"].map(challenges)
        for statement in strays + [idempotencyKeys, actKeys] {
            while !Task.isCancelled {
                let count = try await postgres.write(statement).affectedRows
                total += count
                if count < Self.batch { break }
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
        for walk in walks where !Task.isCancelled { total += try await walk() }
        return total
    }

    private static let batch = 5000

    /// Messages older than any day that is kept: of clocks that went wrong, and of the time before there were days.
    private func messages(in table: String) -> PostgresQuery {
        """
        WITH keep AS (SELECT \(days) AS days), old AS (
            SELECT challenge_id, number FROM \(unescaped: table)
            WHERE challenge_id < \(unescaped: Self.bound) ORDER BY challenge_id LIMIT \(Self.batch))
        DELETE FROM \(unescaped: table) m USING old WHERE m.challenge_id = old.challenge_id AND m.number = old.number
        """
    }

    private func challenges(in table: String) -> PostgresQuery {
        """
        WITH keep AS (SELECT \(days) AS days), old AS (
            SELECT id FROM \(unescaped: table) WHERE id < \(unescaped: Self.bound) ORDER BY id LIMIT \(Self.batch))
        DELETE FROM \(unescaped: table) c USING old WHERE c.id = old.id
        """
    }

    /// The least id of the oldest day that is kept.
    private static let bound =
        "first_id(date_trunc('day', now(), 'UTC') - (SELECT days FROM keep) * interval '24 h')"

    private var idempotencyKeys: PostgresQuery {
        """
        WITH old AS (
            SELECT key FROM idempotency_keys WHERE decided_at < now() - interval '24 h'
            ORDER BY decided_at LIMIT \(Self.batch) FOR UPDATE SKIP LOCKED)
        DELETE FROM idempotency_keys k USING old WHERE k.key = old.key
        """
    }

    /// An act is repeated for an hour at most; a week is also enough to see what came when.
    private var actKeys: PostgresQuery {
        """
        WITH old AS (
            SELECT key FROM operator_acts WHERE done_at < now() - interval '7 days'
            ORDER BY done_at LIMIT \(Self.batch) FOR UPDATE SKIP LOCKED)
        DELETE FROM operator_acts a USING old WHERE a.key = old.key
        """
    }

    /// A phone with failures is kept: whoever guesses slowly must not be forgotten.
    private var walks: [PageWalk] {
        [
            PageWalk(
                postgres: postgres, table: "rate_limits", condition: "greatest(tat, requests_tat) < since", days: 0),
            PageWalk(
                postgres: postgres, table: "phones",
                condition: "failures = 0 AND locked_until < now() AND greatest(first_tat, second_tat) < since",
                days: days),
        ]
    }
}
