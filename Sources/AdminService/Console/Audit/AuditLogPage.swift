import HTTPServer
import HTTPTypes
import Hummingbird
import Identity

/// `GET /audit`: what operators did, with filters. `POST /audit/export` gives the same rows as a table.
struct AuditLogPage: Sendable {
    let frame: PageFrame
    let read: ReadAuditLog

    func add(to routes: ConsoleRoutes) {
        routes.page("/audit") { request, context in
            let fields = try request.query
            let trail = try Trail(fields)
            var query = try AuditQuery(fields)
            query.after = try trail.last.map(Self.position)
            let page = try await read.page(query)
            let view = AuditView(
                page, AuditFilter(fields), trail, mayExport: context.admin.role >= .support)
            return try frame.page("audit", title: "Audit log", section: .audit, view, request, context)
        }
        routes.action("/audit/export", atLeast: .support) { form, _, context in
            let query = try AuditFilter(form).query()
            return AuditRoutes.table(
                try await read.export(query, by: context.admin.id, origin: AuditOrigin(context.base)))
        }
    }

    private static func position(_ text: String) throws(Problem) -> AuditPosition {
        guard let position = AuditPosition(text) else { throw .invalid("at", "must be a place in the list") }
        return position
    }
}

/// What the audit log is narrowed by, as texts that are not judged yet.
struct AuditFilter: Sendable {
    let actor: String?
    let action: String?
    let target: String?
    let from: String?
    let to: String?

    init(_ fields: QueryFields) {
        actor = fields.string("actor")
        action = fields.string("action")
        target = fields.string("target")
        from = fields.string("from")
        to = fields.string("to")
    }

    init(_ form: FormFields) {
        func value(_ name: String) -> String? { form[name].flatMap { $0.isEmpty ? nil : $0 } }
        actor = value("actor")
        action = value("action")
        target = value("target")
        from = value("from")
        to = value("to")
    }

    var isNarrowed: Bool { [actor, action, target, from, to].contains { $0 != nil } }

    func link(_ trail: Trail) -> String {
        PercentText.link(
            "/audit",
            [
                ("actor", actor), ("action", action), ("target", target), ("from", from), ("to", to),
                ("at", trail.text),
            ])
    }

    /// The same as a question. Throws `invalid-request`.
    func query() throws(Problem) -> AuditQuery {
        var query = AuditQuery()
        query.actor = try Self.parsed("actor", actor, AuditQuery.Actor.init)
        query.action = try Self.parsed("action", action, AuditAction.init(rawValue:))
        query.target = try Self.parsed("target", target, AuditQuery.Target.init)
        query.from = try Self.parsed("from", from, AuditTime.date)
        query.to = try Self.parsed("to", to, AuditTime.date)
        return query
    }

    private static func parsed<Value>(
        _ name: String, _ text: String?, _ parse: (String) -> Value?
    ) throws(Problem) -> Value? {
        guard let text else { return nil }
        guard let value = parse(text) else { throw .invalid(name, "is not what it can be") }
        return value
    }
}
