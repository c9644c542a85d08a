import Identity
import Postgres

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The SQL of the list of operators.
struct OperatorStore: Sendable {
    let postgres: PostgresClient

    /// An operator to be added.
    struct New: Sendable {
        let admin: Operator
        let sealedSecret: [UInt8]
        let recoveryHashes: [[UInt8]]
    }

    enum Insertion: Sendable, Equatable {
        case inserted
        /// Another active operator has the phone.
        case phoneTaken
    }

    /// Adds an operator and records it; one statement. Throws `PostgresError`, `NotRecorded`.
    func insert(_ new: New, by actor: AuditActor, origin: AuditOrigin) async throws -> Insertion {
        let added = try await postgres.record(Self.insertion(new, by: actor, origin: origin))
        return added.isEmpty ? .phoneTaken : .inserted
    }

    /// Disables the operator with the phone, ends their sessions, and adds the new one; all of it or nothing. Throws `PostgresError`,
    /// `NotRecorded`.
    func replace(with new: New, by actor: AuditActor, origin: AuditOrigin) async throws -> Insertion {
        do {
            return try await postgres.transaction { transaction in
                _ = try await transaction.query(
                    """
                    WITH gone AS (
                        UPDATE admins SET disabled_at = now()
                         WHERE phone = \(new.admin.phone.e164) AND disabled_at IS NULL
                        RETURNING id, role
                    ), ended AS (
                        UPDATE admin_sessions s SET ended_at = now() FROM gone
                         WHERE s.admin_id = gone.id AND s.ended_at IS NULL
                    )
                    INSERT INTO audit_log (\(unescaped: AuditStore.columns), before)
                    SELECT \(AuditID().uuid), \(actor.id?.uuid), \(actor.word), 'operator.disabled', 'admin', id::text,
                           'replaced', \(origin.requestID), \(origin.address), role
                      FROM gone
                    """)
                // Thrown, so that nobody is disabled where nobody is added.
                let added = try await transaction.query(Self.insertion(new, by: actor, origin: origin))
                if added.isEmpty { throw PhoneTaken() }
                return Insertion.inserted
            }
        } catch is PhoneTaken {
            return .phoneTaken
        } catch let error as PostgresError {
            if let refusal = NotRecorded(error) { throw refusal }
            throw error
        }
    }

    private struct PhoneTaken: Error {}

    /// Gives no row where another active operator has the phone: the error of the index would write the phone into the
    /// log of PostgreSQL.
    static func insertion(_ new: New, by actor: AuditActor, origin: AuditOrigin) -> PostgresQuery {
        """
        WITH added AS (
            INSERT INTO admins (id, phone, role, totp_secret)
            VALUES (\(new.admin.id.uuid), \(new.admin.phone.e164), \(new.admin.role.rawValue), \(new.sealedSecret))
            ON CONFLICT (phone) WHERE disabled_at IS NULL DO NOTHING
            RETURNING id, role
        ), codes AS (
            INSERT INTO admin_recovery_codes (admin_id, code_hash)
            SELECT id, unnest(\(new.recoveryHashes)) FROM added
        )
        INSERT INTO audit_log (\(unescaped: AuditStore.columns), after)
        SELECT \(AuditID().uuid), \(actor.id?.uuid), \(actor.word), 'operator.created', 'admin', id::text, role,
               \(origin.requestID), \(origin.address), role
          FROM added
        RETURNING target_id
        """
    }
}
