import HTTPServer
import Identity
import Postgres

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A row of the audit log, as it is shown.
struct AuditEntry: Sendable {
    enum Actor: String, Sendable, CaseIterable {
        /// An operator, signed in or signing in.
        case admin
        /// The command line on the server.
        case command
        /// A proven phone that is no operator's.
        case stranger
    }

    enum Outcome: String, Sendable {
        case done, failed
        /// The other service gave no answer for so long that nobody asked any more.
        case unknown
    }

    let id: AuditID
    let at: Date
    let actor: Actor
    /// The operator; nil for the other kinds of actor.
    let actorID: AdminID?
    /// Masked when it is shown.
    let actorPhone: PhoneNumber?
    let action: String
    let targetKind: String?
    let targetID: String?
    let before: String?
    let after: String?
    let outcome: Outcome
    /// The problem code of what failed.
    let failure: String?
    let reason: String?
    let requestID: String?
    let address: String?

    /// The columns that `init(row:)` reads, of `audit_log a LEFT JOIN admins o`.
    static let columns = """
        a.id, a.at, a.actor, a.actor_id, o.phone, a.action, a.target_kind, a.target_id, a.before, a.after, a.outcome, \
        a.failure, a.reason, a.request_id, a.address
        """

    /// Throws `PostgresError`, and `UnreadableRow` for what the schema's constraints do not allow.
    init(row: PostgresRow) throws {
        guard let actor = Actor(rawValue: try row.decode(column: 2)),
            let outcome = Outcome(rawValue: try row.decode(column: 10))
        else { throw UnreadableRow(table: "audit_log") }
        id = AuditID(uuid: try row.decode(column: 0))
        at = try row.decode(column: 1)
        self.actor = actor
        actorID = (try row.decode(column: 3) as UUID?).map(AdminID.init(uuid:))
        actorPhone = (try row.decode(column: 4) as String?).flatMap(PhoneNumber.init(e164:))
        action = try row.decode(column: 5)
        targetKind = try row.decode(column: 6)
        targetID = try row.decode(column: 7)
        before = try row.decode(column: 8)
        after = try row.decode(column: 9)
        self.outcome = outcome
        failure = try row.decode(column: 11)
        reason = try row.decode(column: 12)
        requestID = try row.decode(column: 13)
        address = try row.decode(column: 14)
    }

    /// The names of the fields and their texts, in the order of the export.
    var fields: [(name: String, text: String?)] {
        [
            ("at", Timestamp.text(at)), ("id", id.description), ("actor", actor.rawValue),
            ("actor_id", actorID?.description), ("actor_phone", actorPhone?.description), ("action", action),
            ("target_kind", targetKind), ("target_id", targetID), ("before", before), ("after", after),
            ("outcome", outcome.rawValue), ("failure", failure), ("reason", reason), ("request_id", requestID),
            ("address", address),
        ]
    }

    func write(to json: inout JSONText) {
        json.open("{")
        for field in fields { json.nullable(field.name, field.text) }
        json.close("}")
    }
}
