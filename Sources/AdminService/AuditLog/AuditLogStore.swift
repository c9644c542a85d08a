import Identity
import Postgres

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Reads the audit log.
struct AuditLogStore: Sendable {
    let postgres: PostgresClient

    /// At most `limit` rows after the query's position, the latest first, and the database's time. Throws `PostgresError`.
    func rows(_ query: AuditQuery, limit: Int) async throws -> (entries: [AuditEntry], asOf: Date) {
        let rows = try await postgres.read(Self.statement(query, limit: limit))
        let entries = try rows.map(AuditEntry.init(row:))
        guard let first = rows.first else {
            return ([], try await postgres.read("SELECT now()").first?.decode(column: 0) ?? .distantPast)
        }
        return (entries, try first.decode(column: 15))
    }

    /// It has a condition for each filter that is set and no other, so that each has its index.
    /// - Parameter prefix: what comes before it, `EXPLAIN `.
    static func statement(_ query: AuditQuery, limit: Int, prefix: String = "") -> PostgresQuery {
        var text = PostgresQuery.StringInterpolation(literalCapacity: 900, interpolationCount: 10)
        text.appendLiteral(prefix)
        text.appendLiteral(
            """
            SELECT \(AuditEntry.columns), now() AS as_of
              FROM audit_log a LEFT JOIN admins o ON o.id = a.actor_id
             WHERE true
            """)
        conditions(query, &text)
        text.appendLiteral(" ORDER BY a.at DESC, a.id DESC LIMIT ")
        text.appendInterpolation(limit)
        return PostgresQuery(stringInterpolation: text)
    }

    private static func conditions(_ query: AuditQuery, _ text: inout PostgresQuery.StringInterpolation) {
        switch query.actor {
        case .admin(let id):
            text.appendLiteral(" AND a.actor_id = ")
            text.appendInterpolation(id.uuid)
        case .kind(let kind):
            // One of three words of ours; as a value it would not be known to be in the partial index.
            text.appendInterpolation(unescaped: " AND a.actor = '\(kind.rawValue)'")
        case nil: break
        }
        if let action = query.action {
            text.appendLiteral(" AND a.action = ")
            text.appendInterpolation(action.rawValue)
        }
        switch query.target {
        case .one(let kind, let id):
            text.appendLiteral(" AND a.target_kind = ")
            text.appendInterpolation(kind)
            text.appendLiteral(" AND a.target_id = ")
            text.appendInterpolation(id)
        case .any(let id):
            // The kinds are named so that the index is of use.
            text.appendLiteral(" AND a.target_kind = ANY (")
            text.appendInterpolation(AuditQuery.targetKinds)
            text.appendLiteral(") AND a.target_id = ")
            text.appendInterpolation(id)
        case nil: break
        }
        if let from = query.from {
            text.appendLiteral(" AND a.at >= ")
            text.appendInterpolation(from)
        }
        if let to = query.to {
            text.appendLiteral(" AND a.at < ")
            text.appendInterpolation(to)
        }
        if let after = query.after {
            text.appendLiteral(" AND (a.at, a.id) < (")
            text.appendInterpolation(after.at)
            text.appendLiteral(", ")
            text.appendInterpolation(after.id.uuid)
            text.appendLiteral(")")
        }
    }
}
