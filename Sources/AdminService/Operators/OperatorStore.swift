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
        let id: AdminID
        let phone: PhoneNumber
        let role: Role
        let sealedSecret: [UInt8]
    }

    enum Insertion: Sendable, Equatable {
        case inserted
        /// Another active operator has the phone.
        case phoneTaken
    }

    /// Adds an operator and records it; one statement. Throws `PostgresError`.
    func insert(_ new: New, origin: AuditOrigin) async throws -> Insertion {
        do {
            _ = try await postgres.write(Self.insertion(new, origin: origin))
            return .inserted
        } catch  where error.constraint == "admins_active_phone" {
            return .phoneTaken
        }
    }

    /// Disables the operator with the phone, ends their sessions, and adds the new one; all of it or nothing. Throws `PostgresError`.
    func replace(with new: New, origin: AuditOrigin) async throws -> Insertion {
        do {
            return try await postgres.transaction { transaction in
                _ = try await transaction.query(
                    """
                    WITH gone AS (
                        UPDATE admins SET disabled_at = now()
                         WHERE phone = \(new.phone.e164) AND disabled_at IS NULL
                        RETURNING id
                    ), ended AS (
                        UPDATE admin_sessions s SET ended_at = now() FROM gone
                         WHERE s.admin_id = gone.id AND s.ended_at IS NULL
                    )
                    INSERT INTO audit_log (\(unescaped: AuditStore.columns))
                    SELECT \(AuditID().uuid), NULL, 'command', 'operator.disabled', 'admin', id::text, 'replaced',
                           \(origin.requestID), \(origin.address)
                      FROM gone
                    """)
                _ = try await transaction.query(Self.insertion(new, origin: origin))
                return Insertion.inserted
            }
        } catch let error as PostgresError where error.constraint == "admins_active_phone" {
            return .phoneTaken
        }
    }

    private static func insertion(_ new: New, origin: AuditOrigin) -> PostgresQuery {
        """
        WITH added AS (
            INSERT INTO admins (id, phone, role, totp_secret)
            VALUES (\(new.id.uuid), \(new.phone.e164), \(new.role.rawValue), \(new.sealedSecret))
            RETURNING id, role
        )
        INSERT INTO audit_log (\(unescaped: AuditStore.columns))
        SELECT \(AuditID().uuid), NULL, 'command', 'operator.created', 'admin', id::text, role,
               \(origin.requestID), \(origin.address)
          FROM added
        """
    }
}
