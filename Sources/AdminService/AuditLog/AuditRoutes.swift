import HTTPServer
import HTTPTypes
import Hummingbird
import Identity

/// `GET /v1/admin/audit-log`, as JSON by pages or as a table.
struct AuditRoutes: Sendable {
    let read: ReadAuditLog
    let gate: OperatorGate

    func add(to router: PostkeyRouter) {
        router.operators(atLeast: .viewer, gate).get("/v1/admin/audit-log") { request, context in
            let fields = try request.query
            let query = try AuditQuery(fields)
            guard try Self.wantsTable(request, fields) else {
                return Response.json(.ok, text: try await read.page(query).json)
            }
            // A page is looked at; a table is carried away.
            try await gate.require(.support, context, request)
            let export = try await read.export(query, by: context.admin.id, origin: AuditOrigin(context.base))
            return Self.table(export)
        }
    }

    /// The table as a file to be saved.
    static func table(_ export: ReadAuditLog.Export) -> Response {
        var headers: HTTPFields = [.contentDisposition: #"attachment; filename="audit-log.csv""#]
        if let next = export.next, let name = HTTPField.Name("X-Next-Cursor") { headers[name] = next.description }
        return Response.text(.ok, export.csv, type: "text/csv; charset=utf-8; header=present", headers: headers)
    }

    private static func wantsTable(_ request: Request, _ fields: QueryFields) throws(Problem) -> Bool {
        let format = try fields.parsed("format", "json or csv") { ["json", "csv"].contains($0) ? $0 : nil }
        if let format { return format == "csv" }
        return request.headers[values: .accept].contains { value in
            value.split(separator: ",").contains { range in
                range.split(separator: ";").first?.lowercased().filter { $0 != " " } == "text/csv"
            }
        }
    }
}
