import Caching
import HTTPServer
import HTTPTypes
import Hummingbird
import Identity

/// `GET /messages`: the codes that were asked for. A search by phone, which is for support, travels sealed; support unlocks
/// the phone that was found, a user's or not.
struct MessagesPage: Sendable {
    let frame: PageFrame
    let read: ReadMessages
    let defaultRegion: String?
    let gate: OperatorGate
    let sealer: Sealer
    let perform: PerformAction

    func add(to routes: ConsoleRoutes) {
        routes.page("/messages") { request, context in
            let fields = try request.query
            let phone = try fields.parsed("q", "a search made here", opened)
            if phone != nil { try await requireSupport(request, context) }
            let trail = try Trail(fields)
            var query = MessageQuery()
            query.phone = phone
            query.cursor = trail.last
            let isUnlocked = phone.flatMap { frame.flash.word(about: $0.e164, fields, context) } != nil
            return try await show(
                query, trail, isUnlocked ? .good(UserAction.unlock.done) : nil, request, context)
        }
        routes.action("/messages/unlock", atLeast: .support) { form, _, context in
            guard let phone = form["q"].flatMap(opened) else {
                throw Problem.invalid("q", "must be a search made here")
            }
            guard let reason = Reason(form["reason"] ?? "") else { throw Problem.invalid("reason", Reason.expected) }
            let outcome = try await perform(
                .unlock, on: .phone(phone), reason: reason, key: form["key"].flatMap(ClientKey.init),
                by: context.admin.id, origin: AuditOrigin(context.base), trace: context.trace)
            if let error = outcome.error { throw error }
            return try frame.flash.redirect(
                to: "/messages", query: [("q", try sealer.seal(phone.e164))], about: phone.e164,
                saying: UserAction.unlock.rawValue, context)
        }
        routes.action("/messages", atLeast: .support) { form, request, context in
            let text = form["phone"] ?? ""
            guard !text.isEmpty else { return .seeOther("/messages") }
            guard let phone = try? PhoneNumber(parsing: text, defaultRegion: defaultRegion) else {
                throw Problem.invalid("phone", "must be a whole phone number, like +919876543210")
            }
            return .seeOther(PercentText.link("/messages", [("q", try sealer.seal(phone.e164))]))
        }
    }

    private func opened(_ text: String) -> PhoneNumber? {
        sealer.open(text, as: String.self).flatMap(PhoneNumber.init(e164:))
    }

    /// To look for a phone is to know it.
    private func requireSupport(_ request: Request, _ context: ConsoleContext) async throws {
        try await gate.require(.support, context.asOperator, request)
    }

    private func show(
        _ query: MessageQuery, _ trail: Trail, _ notice: Notice?, _ request: Request, _ context: ConsoleContext
    ) async throws -> Response {
        var view = MessagesView(phone: query.phone, maySearch: context.admin.role >= .support)
        var status = HTTPResponse.Status.ok
        do {
            let refresh = notice != nil || Freshness.isBypassed(by: request)
            view.take(try await read(query, refresh: refresh, trace: context.trace).value)
        } catch let error as UpstreamError {
            (view.missing, status) = Self.missing(error)
        }
        let sealed = try query.phone.map { try sealer.seal($0.e164) }
        view.unlock = view.canBeUnlocked ? sealed.map { MessagesView.Unlock(sealed: $0) } : nil
        func link(_ trail: Trail) -> String { PercentText.link("/messages", [("q", sealed), ("at", trail.text)]) }
        view.first = trail.isEmpty ? nil : link(Trail())
        view.previous = trail.previous.map(link)
        view.next = view.cursor.map { link(trail.appending($0)) }
        return try frame.page(
            "messages", title: "Messages", section: .messages, notice: notice, status: status, view, request, context)
    }

    private static func missing(_ error: UpstreamError) -> (String, HTTPResponse.Status) {
        switch error {
        case .refused, .notFound: ("That place in the list is no longer there. Begin at the first page.", .badRequest)
        case .unavailable, .unreadable:
            (
                "otp-service gives no answer. Messages are remembered for a second only: try again in a moment.",
                .serviceUnavailable
            )
        }
    }
}
