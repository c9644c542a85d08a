import Identity
import Postgres

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// An active operator in the list of them.
struct ListedOperator: Sendable {
    let admin: Operator
    let createdAt: Date
    /// Nil if never.
    let lastSignInAt: Date?
    /// Until when no code is looked at; `distantFuture` until enrolled anew.
    let lockedUntil: Date?
    let recoveryCodesLeft: Int
}

/// What became of a change of an operator's role, or of a removal.
enum RoleChange: Sendable, Equatable {
    case changed(from: Role)
    /// The operator has the role already.
    case unchanged
    /// No active operator has this id.
    case notFound
    /// There would be no owner left.
    case lastOwner
}

extension OperatorStore {
    /// All active operators, the longest-serving first. Throws `PostgresError`.
    func list() async throws -> [ListedOperator] {
        let rows = try await postgres.read(
            """
            SELECT a.id, a.phone, a.role, a.created_at,
                   (SELECT max(s.created_at) FROM admin_sessions s WHERE s.admin_id = a.id),
                   CASE WHEN a.totp_locked_until > now() THEN a.totp_locked_until END,
                   (SELECT count(*) FROM admin_recovery_codes c WHERE c.admin_id = a.id AND c.used_at IS NULL)
              FROM admins a WHERE a.disabled_at IS NULL ORDER BY a.created_at, a.id
            """)
        return try rows.map { row in
            let (id, phone, role, createdAt, lastSignInAt, lockedUntil, codes) =
                try row.decode((UUID, String, String, Date, Date?, Date?, Int).self)
            guard let admin = Operator(id: id, phone: phone, role: role) else { throw UnreadableRow(table: "admins") }
            return ListedOperator(
                admin: admin, createdAt: createdAt, lastSignInAt: lastSignInAt, lockedUntil: lockedUntil,
                recoveryCodesLeft: codes)
        }
    }

    /// The active operator with this phone. Throws `PostgresError`.
    func active(phone: PhoneNumber) async throws -> Operator? {
        let rows = try await postgres.read(
            "SELECT id, phone, role FROM admins WHERE phone = \(phone.e164) AND disabled_at IS NULL")
        guard let row = rows.first else { return nil }
        let (id, phone, role) = try row.decode((UUID, String, String).self)
        guard let admin = Operator(id: id, phone: phone, role: role) else { throw UnreadableRow(table: "admins") }
        return admin
    }

    /// Gives an operator another role, or none (which disables them and ends their sessions), and records it.
    ///
    /// One statement. It locks the owners before it counts them, in one order: of two that would each take away one of the
    /// last two owners, the second waits and then finds the first's work done. Throws `PostgresError`, `NotRecorded`.
    func change(
        _ admin: AdminID, to role: Role?, by actor: AuditActor, origin: AuditOrigin
    ) async throws -> RoleChange {
        let rows = try await postgres.record(
            """
            WITH given AS (
                SELECT \(admin.uuid) AS id, \(role?.rawValue) AS role
            ), owners AS MATERIALIZED (
                SELECT id FROM admins WHERE role = 'owner' AND disabled_at IS NULL ORDER BY id FOR UPDATE
            ), target AS MATERIALIZED (
                -- After the owners: their number is asked for first.
                SELECT a.id, a.role FROM admins a
                 WHERE (SELECT count(*) FROM owners) >= 0 AND a.id = (SELECT id FROM given) AND a.disabled_at IS NULL
                   FOR UPDATE
            ), verdict AS MATERIALIZED (
                SELECT t.id, t.role AS before, g.role AS after,
                       CASE WHEN t.role = g.role THEN 'unchanged'
                            WHEN t.role = 'owner' AND NOT EXISTS (SELECT FROM owners o WHERE o.id <> t.id) THEN 'last owner'
                            ELSE 'changed' END AS outcome
                  FROM target t, given g
            ), changed AS (
                UPDATE admins a
                   SET role = coalesce(v.after, a.role),
                       disabled_at = CASE WHEN v.after IS NULL THEN now() END
                  FROM verdict v WHERE a.id = v.id AND v.outcome = 'changed'
            ), ended AS (
                UPDATE admin_sessions s SET ended_at = now() FROM verdict v
                 WHERE s.admin_id = v.id AND s.ended_at IS NULL AND v.outcome = 'changed' AND v.after IS NULL
            ), audit AS (
                INSERT INTO audit_log (\(unescaped: AuditStore.columns), before, after)
                SELECT \(AuditID().uuid), \(actor.id?.uuid), \(actor.word),
                       CASE WHEN v.after IS NULL THEN 'operator.disabled' ELSE 'operator.role_changed' END,
                       'admin', v.id::text, NULL, \(origin.requestID), \(origin.address), v.before, v.after
                  FROM verdict v WHERE v.outcome = 'changed'
            )
            SELECT outcome, before FROM verdict
            """)
        guard let row = rows.first else { return .notFound }
        let (outcome, before) = try row.decode((String, String).self)
        switch outcome {
        case "changed":
            guard let before = Role(rawValue: before) else { throw UnreadableRow(table: "admins") }
            return .changed(from: before)
        case "last owner": return .lastOwner
        default: return .unchanged
        }
    }
}
