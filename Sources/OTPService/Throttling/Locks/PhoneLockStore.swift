import Foundation
package import Identity
package import Postgres

/// The locks that wrong codes put on phones; they are put there where an answer is judged. Everything throws `PostgresError`.
package struct PhoneLockStore: Sendable {
    let postgres: PostgresClient

    /// Reads from and writes to this database.
    package init(postgres: PostgresClient) {
        self.postgres = postgres
    }

    /// How a phone stands now.
    package func lock(of phone: PhoneNumber) async throws(PostgresError) -> PhoneLock {
        let rows = try await postgres.read(
            """
            SELECT p.failures::int8, p.locked_until = 'infinity',
                CASE WHEN p.locked_until > now() AND p.locked_until < 'infinity' THEN p.locked_until END
            FROM phones p WHERE p.phone = \(phone.e164)::e164
            """)
        guard let row = rows.first else { return .none }
        let (failures, isPermanent, until) = try row.decode((Int, Bool, Date?).self)
        return PhoneLock(failures: failures, state: isPermanent ? .permanent : until.map { .until($0) } ?? .open)
    }

    /// Forgets a phone's failures and lifts its lock, with a key only once; also says whether the phone is known.
    package func unlock(
        _ phone: PhoneNumber, key: ActKey? = nil
    ) async throws(PostgresError) -> (outcome: ActOutcome, isKnown: Bool) {
        let rows = try await postgres.write(
            """
            WITH begun AS MATERIALIZED (
                SELECT begin_act(\(key?.text), 'unlock', \(phone.e164)) AS outcome
            ), changed AS (
                UPDATE phones p SET failures = 0, locked_until = '-infinity'
                FROM begun b WHERE b.outcome = 'new' AND p.phone = \(phone.e164)::e164
            )
            SELECT outcome, EXISTS (SELECT FROM phones p WHERE p.phone = \(phone.e164)::e164) FROM begun
            """)
        guard let row = rows.first else { throw PostgresError(.decoding, "an act without an outcome") }
        return (try ActOutcome(rows), try row.decode(column: 1))
    }
}
