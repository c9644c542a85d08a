import Identity
import Postgres

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The SQL of operators' sessions.
struct OperatorSessionStore: Sendable {
    let postgres: PostgresClient
    let limits: OperatorSessionLimits

    /// The session if it is alive now, and its operator's role as it is now: one statement.
    ///
    /// Logout, demotion and removal therefore hold from the next request on, on every instance. Throws `PostgresError`.
    func live(_ session: SessionID, of admin: AdminID) async throws -> LiveSession? {
        let rows = try await postgres.read(
            """
            SELECT a.phone, a.role, s.last_seen_at <= now() - make_interval(secs => \(Double(limits.touch)))
              FROM admin_sessions s JOIN admins a ON a.id = s.admin_id
             WHERE s.id = \(session.uuid) AND a.id = \(admin.uuid)
               AND s.ended_at IS NULL AND a.disabled_at IS NULL
               AND s.last_seen_at > now() - make_interval(secs => \(Double(limits.idle)))
               AND s.created_at > now() - make_interval(secs => \(Double(limits.absolute)))
            """)
        guard let row = rows.first else { return nil }
        let (phone, role, isTouchDue) = try row.decode((String, String, Bool).self)
        guard let admin = Operator(id: admin.uuid, phone: phone, role: role) else {
            throw UnreadableRow(table: "admins")
        }
        return LiveSession(id: session, admin: admin, isTouchDue: isTouchDue)
    }

    /// Notes that the session was used. Throws `PostgresError`.
    ///
    /// The idle limit is judged again, so that a request that waited long cannot revive what has ended meanwhile.
    func touch(_ session: SessionID) async throws {
        _ = try await postgres.write(
            """
            UPDATE admin_sessions SET last_seen_at = now()
             WHERE id = \(session.uuid) AND ended_at IS NULL
               AND last_seen_at <= now() - make_interval(secs => \(Double(limits.touch)))
               AND last_seen_at > now() - make_interval(secs => \(Double(limits.idle)))
            """)
    }

    /// Ends the session and records it; once, however often it is asked. Throws `PostgresError`, `NotRecorded`.
    func end(_ session: SessionID, of admin: AdminID, origin: AuditOrigin) async throws {
        _ = try await postgres.record(
            """
            WITH ended AS (
                UPDATE admin_sessions SET ended_at = now()
                 WHERE id = \(session.uuid) AND admin_id = \(admin.uuid) AND ended_at IS NULL
                RETURNING id, admin_id
            )
            INSERT INTO audit_log (\(unescaped: AuditStore.columns))
            SELECT \(AuditID().uuid), admin_id, 'admin', 'operator.signed_out', 'session', id::text, NULL,
                   \(origin.requestID), \(origin.address)
              FROM ended
            """)
    }
}
