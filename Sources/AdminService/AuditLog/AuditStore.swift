import Identity
import Postgres

/// Writes single audit rows; the database seals each (migration 0010). What belongs to a change of data is written by that change's own statement.
struct AuditStore: Sendable {
    let postgres: PostgresClient

    /// The columns every writer fills, in this order.
    static let columns = "id, actor_id, actor, action, target_kind, target_id, reason, request_id, address"

    /// Records what an operator did or was denied. Throws `PostgresError`, `NotRecorded`.
    func record(
        _ action: AuditAction, by admin: AdminID, target: (kind: String, id: String), reason: String? = nil,
        origin: AuditOrigin
    ) async throws {
        _ = try await postgres.record(
            """
            INSERT INTO audit_log (\(unescaped: Self.columns))
            VALUES (\(AuditID().uuid), \(admin.uuid), 'admin', \(action.rawValue), \(target.kind), \(target.id),
                    \(reason), \(origin.requestID), \(origin.address))
            """)
    }

    /// Records that a proven phone is no operator's, once per proof. Throws `PostgresError`, `NotRecorded`.
    func recordStranger(_ challenge: ChallengeID, reason: String, origin: AuditOrigin) async throws {
        _ = try await postgres.record(
            """
            INSERT INTO audit_log (\(unescaped: Self.columns))
            VALUES (\(AuditID().uuid), NULL, 'stranger', 'operator.sign_in_refused', 'challenge',
                    \(challenge.description), \(reason), \(origin.requestID), \(origin.address))
            ON CONFLICT (target_id, reason) WHERE action = 'operator.sign_in_refused' DO NOTHING
            """)
    }
}
