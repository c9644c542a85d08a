import Crypto
import Identity
import Postgres

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The hash chain over the audit log: each row's seal is the SHA-256 of the seal before it, the row's position and its
/// fields (migration 0010).
///
/// Computed here and not by the database, because whoever could change rows could change functions too. Who rewrites a
/// row together with all seals after it is found out by a seal that was noted elsewhere ("anchor").
struct AuditChain: Sendable {
    /// A seal by its place.
    struct Seal: Sendable, Equatable {
        let position: Int64
        let hash: [UInt8]

        /// Nothing sealed yet.
        static let none = Seal(position: 0, hash: Array(repeating: 0, count: 32))
    }

    enum Verdict: Sendable, Equatable {
        /// All rows fit, up to this seal.
        case intact(head: Seal)
        /// The first place where the chain does not hold.
        case broken(position: Int64)
        /// So many rows have no seal.
        case unsealed(rows: Int)
        /// The noted seal is not in the chain.
        case anchorMissing
    }

    let postgres: PostgresClient

    /// Reads and computes everything. Throws `PostgresError`.
    func verify(anchor: Seal? = nil) async throws -> Verdict {
        var head = Seal.none
        var isAnchored = anchor == nil || anchor == Seal.none
        while true {
            let rows = try await postgres.read(
                """
                SELECT s.position, s.hash, a.id::text, ((extract(epoch FROM a.at) * 1000000)::int8)::text,
                       a.actor_id::text, a.actor, a.action, a.target_kind, a.target_id, a.reason, a.request_id, a.address,
                       a.before, a.after, a.outcome, a.failure
                  FROM audit_seals s LEFT JOIN audit_log a ON a.id = s.audit_id
                 WHERE s.position > \(head.position) ORDER BY s.position LIMIT 1000
                """)
            for row in rows {
                let (position, hash) = (try row.decode(column: 0) as Int64, try row.decode(column: 1) as [UInt8])
                let fields = try (2..<16).map { try row.decode(column: $0) as String? }
                guard position == head.position + 1, Self.hash(after: head.hash, position, fields) == hash
                else { return .broken(position: head.position + 1) }
                head = Seal(position: position, hash: hash)
                if head == anchor { isAnchored = true }
            }
            if rows.count < 1000 { break }
        }
        let unsealed =
            try await postgres.read(
                "SELECT count(*) FROM audit_log a WHERE NOT EXISTS (SELECT FROM audit_seals s WHERE s.audit_id = a.id)"
            ).first?.decode(column: 0) as Int? ?? 0
        if unsealed > 0 { return .unsealed(rows: unsealed) }
        return isAnchored ? .intact(head: head) : .anchorMissing
    }

    /// The seal of a row with these fields.
    static func hash(after previous: [UInt8], _ position: Int64, _ fields: [String?]) -> [UInt8] {
        var hasher = SHA256()
        hasher.update(data: previous)
        for field in [String(position)] + fields {
            guard let field else {
                hasher.update(data: Array("-,".utf8))
                continue
            }
            hasher.update(data: Array("\(field.utf8.count):\(field),".utf8))
        }
        return Array(hasher.finalize())
    }
}
