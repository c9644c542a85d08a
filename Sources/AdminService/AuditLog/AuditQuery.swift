import HTTPServer
import Identity

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What an operator asks of the audit log.
struct AuditQuery: Sendable {
    enum Actor: Sendable, Hashable {
        case admin(AdminID)
        case kind(AuditEntry.Actor)
    }

    enum Target: Sendable, Hashable {
        /// One thing of a kind: `user:<id>`.
        case one(kind: String, id: String)
        /// Whatever has this id.
        case any(id: String)
    }

    static let limits = 1...200
    static let targetKinds = [
        "user", "admin", "session", "challenge", "destination", "sending", "route", "cache", "audit_log",
    ]

    var actor: Actor?
    var action: AuditAction?
    var target: Target?
    /// The first moment that is wanted.
    var from: Date?
    /// The first moment that is no longer wanted.
    var to: Date?
    /// The last row of the page before.
    var after: AuditPosition?
    /// Rows; nil: as many as a page has, or a table.
    var limit: Int?

    init() {}

    /// Reads the parameters. Throws `invalid-request`.
    init(_ fields: QueryFields) throws(Problem) {
        actor = try fields.parsed("actor", "the id of an operator, or admin, command or stranger") { Actor($0) }
        action = try fields.parsed("action", "a name of an action") { AuditAction(rawValue: $0) }
        target = try fields.parsed("target", "kind:id or an id, at most 200 characters") { Target($0) }
        from = try fields.parsed("from", Self.time, AuditTime.date)
        to = try fields.parsed("to", Self.time, AuditTime.date)
        if let from, let to, from > to { throw .invalid("to", "must not be before from") }
        after = try fields.parsed("cursor", "a next_cursor of an earlier answer") { AuditPosition($0) }
        if fields.string("limit") != nil { limit = try fields.integer("limit", default: 50, in: Self.limits) }
    }

    private static let time = "a day such as 2026-11-24 or a time such as 2026-11-24T08:45:00Z"
}

extension AuditQuery.Actor {
    init?(_ text: String) {
        if let kind = AuditEntry.Actor(rawValue: text) {
            self = .kind(kind)
        } else if let id = AdminID(text) {
            self = .admin(id)
        } else {
            return nil
        }
    }
}

extension AuditQuery.Target {
    init?(_ text: String) {
        guard (1...200).contains(text.unicodeScalars.count) else { return nil }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if parts.count == 2, AuditQuery.targetKinds.contains(parts[0]), !parts[1].isEmpty {
            self = .one(kind: parts[0], id: parts[1])
        } else {
            self = .any(id: text)
        }
    }
}

/// The place of a row in the order of time.
struct AuditPosition: Sendable, Hashable, CustomStringConvertible {
    let at: Date
    let id: AuditID

    init(at: Date, id: AuditID) {
        self.at = at
        self.id = id
    }

    /// Microseconds since 1970, and the id.
    var description: String { "\(Int64((at.timeIntervalSince1970 * 1_000_000).rounded()))-\(id)" }

    init?(_ text: String) {
        let parts = text.split(separator: "-", maxSplits: 1)
        guard parts.count == 2, parts[0].utf8.count <= 16, parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let microseconds = Int64(parts[0]), let id = AuditID(String(parts[1]))
        else { return nil }
        self.init(at: Date(timeIntervalSince1970: Double(microseconds) / 1_000_000), id: id)
    }
}
