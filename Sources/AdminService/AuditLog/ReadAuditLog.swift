import HTTPServer
import Identity

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A page of the audit log, the latest first.
struct AuditPage: Sendable {
    let entries: [AuditEntry]
    /// The place after the last row; nil if there are no more.
    let next: AuditPosition?
    let asOf: Date

    var json: String {
        var json = JSONText(capacity: 128 + entries.count * 480)
        json.open("{")
        json.name("entries")
        json.open("[")
        for entry in entries { entry.write(to: &json) }
        json.close("]")
        json.nullable("next_cursor", next?.description)
        json.member("as_of", Timestamp.text(asOf))
        json.close("}")
        return String(decoding: json.bytes, as: UTF8.self)
    }
}

/// Reads the audit log by pages, and as a table for spreadsheets. Nothing of it comes from a cache.
struct ReadAuditLog: Sendable {
    let log: AuditLogStore
    let audit: AuditStore

    /// So many rows has a page, and a table, of which nothing else is said.
    static let pageLength = 50
    static let longestExport = 10_000

    struct Export: Sendable {
        let csv: String
        /// Where the next table begins; nil if this one has all.
        let next: AuditPosition?
    }

    /// A page. Throws `PostgresError`.
    func page(_ query: AuditQuery) async throws -> AuditPage {
        let limit = query.limit ?? Self.pageLength
        let (rows, asOf) = try await log.rows(query, limit: limit + 1)
        let entries = Array(rows.prefix(limit))
        let hasMore = rows.count > entries.count
        return AuditPage(
            entries: entries, next: hasMore ? entries.last.map { AuditPosition(at: $0.at, id: $0.id) } : nil, asOf: asOf
        )
    }

    /// The rows as a table; that it was exported is recorded first. Throws `PostgresError`, `NotRecorded`.
    func export(_ query: AuditQuery, by admin: AdminID, origin: AuditOrigin) async throws -> Export {
        try await audit.record(.auditLogExported, by: admin, target: ("audit_log", "all"), origin: origin)
        var query = query
        let wanted = query.limit ?? Self.longestExport
        var table = CSVText(header: AuditEntry.header)
        var count = 0
        repeat {
            query.limit = min(1000, wanted - count)
            let page = try await page(query)
            for entry in page.entries { table.add(entry.fields.map(\.text)) }
            count += page.entries.count
            query.after = page.next
        } while query.after != nil && count < wanted
        return Export(csv: table.text, next: query.after)
    }
}

extension AuditEntry {
    /// The names of the columns of the export.
    static let header = [
        "at", "id", "actor", "actor_id", "actor_phone", "action", "target_kind", "target_id", "before", "after",
        "outcome",
        "failure", "reason", "request_id", "address",
    ]
}
