import Identity
import Postgres

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The SQL of intents.
struct IntentStore: Sendable {
    let postgres: PostgresClient

    enum Beginning: Sendable {
        case begun
        /// The operator's client sent this key before, with this intent.
        case known(Intent)
        /// Another act on the same target is not finished.
        case busy(Intent)
    }

    /// Writes an intent down, unless its key is known or its target busy.
    ///
    /// Migration 0014 tries its audit row first: what the audit log would not take is not begun. Throws `PostgresError`,
    /// `NotRecorded`.
    func begin(_ intent: Intent) async throws -> Beginning {
        // What stands in the way may be gone when it is looked at; then once more.
        for _ in 0..<3 {
            let inserted = try await postgres.record(
                """
                INSERT INTO intents (id, admin_id, action, target_kind, target_id, reason, before, request_id, address,
                                     client_key)
                VALUES (\(intent.id.uuid), \(intent.admin.uuid), \(intent.action.audited.rawValue), \(intent.target.kind),
                        \(intent.target.id), \(intent.reason?.text), \(intent.before), \(intent.origin.requestID),
                        \(intent.origin.address), \(intent.clientKey?.text))
                ON CONFLICT DO NOTHING
                """)
            if inserted.affectedRows == 1 { return .begun }
            if let known = try await known(intent) { return .known(known) }
            if let busy = try await pending(on: intent.target) { return .busy(busy) }
        }
        throw PostgresError(.unavailable, "an intent could not be written")
    }

    /// Ends an intent and adds its audit row, if nobody has; one statement. Returns the state it has now. Throws
    /// `PostgresError`, `NotRecorded`.
    func finish(_ intent: Intent, as state: Intent.State, failure: String? = nil) async throws -> Intent.State {
        let (id, after, target) = (intent.id, intent.action.after, intent.target.audited)
        let rows = try await postgres.record(
            """
            WITH finished AS (
                UPDATE intents SET state = \(state.rawValue), failure = \(failure), finished_at = now()
                 WHERE id = \(id.uuid) AND state = 'pending'
                RETURNING id, admin_id, action, target_kind, target_id, reason, before, request_id, address, state, failure
            ), audit AS (
                INSERT INTO audit_log (\(unescaped: AuditStore.columns), before, after, outcome, failure)
                SELECT id, admin_id, 'admin', action, target_kind, \(target), reason, request_id, address, before,
                       CASE WHEN state = 'done' THEN \(after) END, state, failure
                  FROM finished
            ), told AS (
                -- Also after a refusal or no answer: what was shown may be wrong.
                INSERT INTO admin_changes (topic)
                SELECT CASE target_kind WHEN 'user' THEN 'user:' || target_id ELSE 'destinations' END FROM finished
            )
            SELECT state FROM finished
            """)
        if rows.isEmpty { return try await self.state(of: id) }
        return state
    }

    private func state(of id: IntentID) async throws -> Intent.State {
        let rows = try await postgres.read("SELECT state FROM intents WHERE id = \(id.uuid)")
        guard let word = try rows.first?.decode(column: 0) as String?, let state = Intent.State(rawValue: word) else {
            throw UnreadableRow(table: "intents")
        }
        return state
    }

    /// Pending intents that nobody seems to be at, the oldest first. Throws `PostgresError`.
    func stale(olderThan seconds: Int, limit: Int) async throws -> [(intent: Intent, isHopeless: Bool)] {
        try await postgres.read(
            """
            SELECT \(unescaped: Self.columns), requested_at < now() - interval '1 hour'
              FROM intents WHERE state = 'pending' AND requested_at < now() - make_interval(secs => \(Double(seconds)))
             ORDER BY requested_at LIMIT \(limit)
            """
        ).map { (try Intent(row: $0), try $0.decode(column: 12)) }
    }

    /// Deletes intents finished a week ago, at most a thousand; their audit rows stay. Throws `PostgresError`.
    func forget() async throws -> Int {
        try await postgres.write(
            """
            DELETE FROM intents WHERE id IN (
                SELECT id FROM intents WHERE state <> 'pending' AND finished_at < now() - interval '7 days' LIMIT 1000
                   FOR UPDATE SKIP LOCKED)
            """
        ).affectedRows
    }

    /// The intent that the operator's client sent with this one's key before. Throws `PostgresError`.
    func known(_ intent: Intent) async throws -> Intent? {
        guard let key = intent.clientKey else { return nil }
        return try await postgres.read(
            """
            SELECT \(unescaped: Self.columns) FROM intents
             WHERE admin_id = \(intent.admin.uuid) AND client_key = \(key.text)
            """
        ).first.map(Intent.init(row:))
    }

    private func pending(on target: ActionTarget) async throws -> Intent? {
        try await postgres.read(
            """
            SELECT \(unescaped: Self.columns) FROM intents
             WHERE target_kind = \(target.kind) AND target_id = \(target.id) AND state = 'pending'
            """
        ).first.map(Intent.init(row:))
    }

    private static let columns = """
        id, admin_id, action, target_kind, target_id, reason, before, request_id, address, client_key, state, failure
        """
}

extension Intent {
    /// Throws `PostgresError`, and `UnreadableRow` for what this service never writes.
    fileprivate init(row: PostgresRow) throws {
        guard let action = RemoteAction(audited: try row.decode(column: 2)),
            let target = ActionTarget(kind: try row.decode(column: 3), id: try row.decode(column: 4)),
            let state = State(rawValue: try row.decode(column: 10))
        else { throw UnreadableRow(table: "intents") }
        self.init(
            id: IntentID(uuid: try row.decode(column: 0)), admin: AdminID(uuid: try row.decode(column: 1)),
            action: action, target: target, reason: (try row.decode(column: 5) as String?).flatMap(Reason.init),
            before: try row.decode(column: 6),
            origin: AuditOrigin(requestID: try row.decode(column: 7), address: try row.decode(column: 8)),
            clientKey: (try row.decode(column: 9) as String?).flatMap(ClientKey.init), state: state,
            failure: try row.decode(column: 11))
    }
}
