import Caching
import HTTPServer
import HTTPTypes
import Hummingbird
import Identity

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// `GET /users/{id}`: one user with the sessions, and what support does to users.
struct UserPage: Sendable {
    let frame: PageFrame
    let read: ReadDirectory
    let patience: Duration
    let messages: ReadMessages
    let perform: PerformAction
    let reveal: RevealPhone

    func add(to routes: ConsoleRoutes) {
        routes.page("/users/{id}") { request, context in
            let id = try context.parameter("id", UserID.init)
            let done = frame.flash.word(about: "/users/\(id)", try request.query, context)
                .flatMap(UserAction.init(rawValue:))
            return try await show(id, notice: done.map { .good($0.done) }, refresh: done != nil, request, context)
        }
        for action in UserAction.allCases {
            routes.action("/users/{id}/\(action.rawValue)", atLeast: .support) { form, request, context in
                let id = try context.parameter("id", UserID.init)
                guard let reason = Reason(form["reason"] ?? "") else {
                    throw Problem.invalid("reason", Reason.expected)
                }
                guard let remote = action.remote else { return try await show(reveal: id, reason, request, context) }
                let outcome = try await perform(
                    remote, on: .user(id), reason: reason, key: form["key"].flatMap(ClientKey.init),
                    by: context.admin.id, origin: AuditOrigin(context.base), trace: context.trace)
                if let error = outcome.error { throw error }
                return try frame.flash.redirect(to: "/users/\(id)", saying: action.rawValue, context)
            }
        }
    }

    /// The page with the whole phone, in this one answer.
    private func show(
        reveal id: UserID, _ reason: Reason, _ request: Request, _ context: ConsoleContext
    ) async throws -> Response {
        switch try await reveal(
            id, reason: reason, by: context.admin.id, origin: AuditOrigin(context.base), trace: context.trace)
        {
        case .phone(let phone):
            return try await show(
                id, phone: phone, notice: .good("The phone is shown once; that you saw it is in the audit log."),
                refresh: false, request, context)
        case .notFound: throw Problem(.notFound)
        case .away(let service): throw Problem.upstreamAway([service])
        }
    }

    private func show(
        _ id: UserID, phone: PhoneNumber? = nil, notice: Notice?, refresh: Bool, _ request: Request,
        _ context: ConsoleContext
    ) async throws -> Response {
        let refresh = refresh || Freshness.isBypassed(by: request)
        let cached = try await read.user(id, refresh: refresh, trace: context.trace)
        let answer = try JSONDecoder().decode(UserAnswer.self, from: Data(cached.value.json.utf8))
        let deliveries =
            answer.user.status == "deleted"
            ? nil : try await deliveries(to: cached.value.phone, refresh: refresh, context)
        return try frame.page(
            "user", title: answer.user.title, section: .users,
            notice: ConsoleNotices.stale(cached, "user-service", patience) ?? notice,
            UserView(answer, deliveries, revealed: phone, mayAct: context.admin.role >= .support), request, context)
    }

    /// The last codes sent to the user's phone, which is read for that and shown nowhere.
    private func deliveries(
        to phone: PhoneNumber?, refresh: Bool, _ context: ConsoleContext
    ) async throws -> MessagesView {
        var view = MessagesView(phone: nil, maySearch: false)
        view.showsPhone = false
        do {
            var query = MessageQuery()
            query.phone = phone
            query.limit = 10
            if phone != nil {
                view.take(try await messages(query, refresh: refresh, trace: context.trace).value)
            }
        } catch is UpstreamError {
            view.missing = "There is no answer about them at the moment."
        }
        return view
    }
}
