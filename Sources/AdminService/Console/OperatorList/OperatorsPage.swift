import HTTPServer
import HTTPTypes
import Hummingbird
import Identity

/// `GET /operators`: who may operate Postkey; to add, to give another role, to remove. For owners.
struct OperatorsPage: Sendable {
    let frame: PageFrame
    let store: OperatorStore
    let appoint: AppointOperator
    let remove: RemoveOperator

    func add(to routes: ConsoleRoutes) {
        routes.page("/operators", atLeast: .owner) { request, context in
            let done = frame.flash.word(about: Self.path, try request.query, context).flatMap(Done.init(rawValue:))
            return try await show(done?.notice, .ok, request, context)
        }
        routes.action("/operators", atLeast: .owner) { form, request, context in
            try await add(form, request, context)
        }
        routes.action("/operators/{id}/role", atLeast: .owner) { form, request, context in
            let id = try context.parameter("id", AdminID.init)
            guard let role = form["role"].flatMap(Role.init(rawValue:)) else {
                throw Problem.invalid("role", "must be viewer, support or owner")
            }
            let outcome = try await appoint(id, role: role, by: context.admin, origin: AuditOrigin(context.base))
            return try await answer(outcome, request, context)
        }
        routes.action("/operators/{id}/remove", atLeast: .owner) { _, request, context in
            let id = try context.parameter("id", AdminID.init)
            switch try await remove(id, by: context.admin, origin: AuditOrigin(context.base)) {
            case .removed, .notFound: return try redirect(.removed, context)
            case .lastOwner: return try await show(Self.lastOwner, .conflict, request, context)
            case .ownRole: return try await show(Self.ownRole, .conflict, request, context)
            }
        }
    }

    private func add(_ form: FormFields, _ request: Request, _ context: ConsoleContext) async throws -> Response {
        guard let role = form["role"].flatMap(Role.init(rawValue:)) else {
            throw Problem.invalid("role", "must be viewer, support or owner")
        }
        guard let phone = try? PhoneNumber(parsing: form["phone"] ?? "", defaultRegion: nil) else {
            let notice = Notice.bad("That is not a phone number. Enter it with + and the country.")
            return try await show(notice, .badRequest, request, context)
        }
        guard phone.mayBeMobile else {
            let notice = Notice.bad("Nobody was added. \(phone.whyNoCodes)")
            return try await show(notice, .unprocessableContent, request, context)
        }
        let outcome = try await appoint(phone: phone, role: role, by: context.admin, origin: AuditOrigin(context.base))
        // Whoever adds somebody expects to be shown a secret, and may have lost that answer.
        if case .changed = outcome { return try redirect(.known, context) }
        return try await answer(outcome, request, context)
    }

    private func answer(
        _ outcome: AppointOperator.Outcome, _ request: Request, _ context: ConsoleContext
    ) async throws -> Response {
        switch outcome {
        case .created(let enrolled):
            // In the answer itself and nowhere else: what is shown once has no address.
            return try frame.page(
                "operator-enrolled", title: "New operator", section: .operators, status: .created,
                EnrolmentView(enrolled), request, context)
        case .changed: return try redirect(.changed, context)
        case .notFound: throw Problem(.notFound)
        case .lastOwner: return try await show(Self.lastOwner, .conflict, request, context)
        case .ownRole: return try await show(Self.ownRole, .conflict, request, context)
        }
    }

    private static let path = "/operators"

    private func redirect(_ done: Done, _ context: ConsoleContext) throws -> Response {
        try frame.flash.redirect(to: Self.path, saying: done.rawValue, context)
    }

    private func show(
        _ notice: Notice?, _ status: HTTPResponse.Status, _ request: Request, _ context: ConsoleContext
    ) async throws -> Response {
        try frame.page(
            "operators", title: "Operators", section: .operators, notice: notice, status: status,
            OperatorsView(try await store.list(), own: context.admin.id), request, context)
    }

    private static let lastOwner = Notice.bad("Nothing was changed: there would be no owner left.")
    private static let ownRole = Notice.bad("Nothing was changed: another owner has to change your role.")

    private enum Done: String {
        case changed, known, removed

        var notice: Notice {
            switch self {
            case .changed: .good("The role is changed and holds from the next request on.")
            case .known:
                .good(
                    """
                    This phone is an operator's already, with this role now. If nobody was shown their secret, remove them and add \
                    them again.
                    """)
            case .removed: .good("The operator is removed and signed out everywhere.")
            }
        }
    }
}
