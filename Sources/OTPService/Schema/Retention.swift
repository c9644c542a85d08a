package import Logging
package import Postgres
import ServiceLifecycle

/// Forgets what is no longer needed: challenges and messages after `OTP_RETENTION_DAYS`, limits that have run out, and
/// phones that have nothing to be remembered.
///
/// Runs hourly, on every instance; in batches of 5 000 rows, each a statement of its own, with a pause between them.
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

    /// Purges a minute after the start and hourly from then on.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            // Not at once: a start has better things to do.
            try? await Task.sleep(for: .seconds(60))
            while !Task.isCancelled {
                do {
                    let count = try await purge()
                    if count > 0 { logger.info("forgot old rows", metadata: ["rows": "\(count)"]) }
                } catch {
                    logger.warning("old rows stay for now", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: .seconds(3600))
            }
        }
    }

    /// Deletes all that is due; returns the number of rows. Throws `PostgresError`.
    package func purge() async throws -> Int {
        var total = 0
        for statement in [messages, challenges, rateLimits, phones] {
            while !Task.isCancelled {
                let count = try await postgres.write(statement).affectedRows
                total += count
                if count < Self.batch { break }
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
        return total
    }

    private static let batch = 5000

    /// The least id that is young enough: ids begin with their time in milliseconds (RFC 9562 §5.7).
    private static let bound = """
        (lpad(to_hex((extract(epoch FROM now() - (SELECT days FROM keep) * interval '1 day') * 1000)::int8), 12, '0')
            || repeat('0', 20))::uuid
        """

    private var messages: PostgresQuery {
        """
        WITH keep AS (SELECT \(days) AS days), old AS (
            SELECT challenge_id, number FROM messages
            WHERE challenge_id < \(unescaped: Self.bound) ORDER BY challenge_id LIMIT \(Self.batch))
        DELETE FROM messages m USING old WHERE m.challenge_id = old.challenge_id AND m.number = old.number
        """
    }

    private var challenges: PostgresQuery {
        """
        WITH keep AS (SELECT \(days) AS days), old AS (
            SELECT id FROM challenges WHERE id < \(unescaped: Self.bound) ORDER BY id LIMIT \(Self.batch))
        DELETE FROM challenges c USING old WHERE c.id = old.id
        """
    }

    private var rateLimits: PostgresQuery {
        """
        WITH old AS (
            SELECT key FROM rate_limits WHERE tat < (extract(epoch FROM now()) * 1000000)::int8
            LIMIT \(Self.batch) FOR UPDATE SKIP LOCKED)
        DELETE FROM rate_limits r USING old WHERE r.key = old.key
        """
    }

    /// A phone with failures is kept: whoever guesses slowly must not be forgotten.
    private var phones: PostgresQuery {
        """
        WITH keep AS (SELECT \(days) AS days), old AS (
            SELECT phone FROM phones
            WHERE failures = 0 AND locked_until < now()
                AND greatest(first_tat, second_tat)
                    < (extract(epoch FROM now() - (SELECT days FROM keep) * interval '1 day') * 1000000)::int8
            LIMIT \(Self.batch) FOR UPDATE SKIP LOCKED)
        DELETE FROM phones p USING old WHERE p.phone = old.phone
        """
    }
}
