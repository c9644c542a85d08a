import Caching
import HTTPServer
import HTTPTypes
import Hummingbird
import Identity

/// `GET /destinations`: where codes go and how many are used; support allows and blocks.
struct DestinationsPage: Sendable {
    let frame: PageFrame
    let read: ReadDestinations
    let sending: ReadSending
    let perform: PerformAction
    let patience: Duration

    func add(to routes: ConsoleRoutes) {
        routes.page("/destinations") { request, context in
            let fields = try request.query
            let done = frame.flash.word(about: "/destinations", fields, context).flatMap(Deed.init)
            let prefix = try fields.parsed("prefix", "a beginning or a country", DestinationPrefix.init)
            return try await show(prefix, done, request, context)
        }
        routes.action("/destinations", atLeast: .support) { form, _, context in
            guard let decision = form["decision"].flatMap(Decision.init(rawValue:)) else {
                throw Problem.invalid("decision", "must be block, allow or reset")
            }
            guard let prefix = DestinationPrefix(Self.tidied(form["prefix"] ?? "")) else {
                throw Problem.invalid(
                    "prefix", "must be + and the first digits of the numbers, or a country such as IN")
            }
            return try await decide(decision, on: .destination(prefix), form, context)
        }
        routes.action("/destinations/sending", atLeast: .support) { form, _, context in
            guard let decision = form["decision"].flatMap(Decision.init(rawValue:)) else {
                throw Problem.invalid("decision", "must be pause or resume")
            }
            return try await decide(decision, on: .sending, form, context)
        }
    }

    private func decide(
        _ decision: Decision, on target: ActionTarget, _ form: FormFields, _ context: ConsoleContext
    ) async throws -> Response {
        guard decision.isAbout(target) else { throw Problem.invalid("decision", "must be one that the page offers") }
        guard let reason = Reason(form["reason"] ?? "") else { throw Problem.invalid("reason", Reason.expected) }
        let outcome = try await perform(
            decision.action, on: target, reason: reason, key: form["key"].flatMap(ClientKey.init),
            by: context.admin.id, origin: AuditOrigin(context.base), trace: context.trace)
        if let error = outcome.error { throw error }
        return try frame.flash.redirect(to: "/destinations", saying: Deed(decision, target).word, context)
    }

    enum Decision: String, Sendable {
        case allow, block, reset, pause, resume

        var action: RemoteAction {
            switch self {
            case .allow: .allow
            case .block: .block
            case .reset: .reset
            case .pause: .pause
            case .resume: .resume
            }
        }

        func isAbout(_ target: ActionTarget) -> Bool {
            (target == .sending) == (self == .pause || self == .resume)
        }

        var notice: Notice {
            switch self {
            case .allow: .good("Codes are sent there again.")
            case .block: .good("No code is sent there any more.")
            case .reset: .good("The breaker decides there again, by how many codes are verified.")
            case .pause: .good("No code is sent anywhere until sending is resumed.")
            case .resume: .good("Codes are sent again.")
            }
        }
    }

    /// A decision and what it was about, as the redirect carries it.
    private struct Deed {
        let decision: Decision
        /// Nil for all sending.
        let prefix: String?

        init(_ decision: Decision, _ target: ActionTarget) {
            self.decision = decision
            if case .destination(let prefix) = target { self.prefix = prefix.text } else { prefix = nil }
        }

        init?(_ word: String) {
            let parts = word.split(separator: " ", maxSplits: 1)
            guard let decision = parts.first.flatMap({ Decision(rawValue: String($0)) }) else { return nil }
            self.decision = decision
            prefix = parts.count > 1 ? String(parts[1]) : nil
        }

        var word: String { [decision.rawValue, prefix].compactMap(\.self).joined(separator: " ") }

        /// What came of it, by what is so now: an operator's word does not overrule everything.
        func notice(_ board: DestinationBoard) -> Notice {
            guard decision == .allow || decision == .reset else { return decision.notice }
            let item = board.destinations.first { $0.prefix == prefix }
            if item?.permitted == false, let country = item?.country ?? prefix {
                return .warning(
                    "It is noted, but no code is sent there: OTP_ALLOWED_COUNTRIES of otp-service does not have \(country)."
                )
            }
            return board.paused == true ? .warning("It is noted, but all sending is paused.") : decision.notice
        }
    }

    /// As people type it: `in`, `+91 98765`.
    private static func tidied(_ text: String) -> String {
        text.uppercased().filter { $0 != " " && $0 != "-" }
    }

    private func show(
        _ prefix: DestinationPrefix?, _ done: Deed?, _ request: Request, _ context: ConsoleContext
    ) async throws -> Response {
        let mayDecide = context.admin.role >= .support
        let section = Section.destinations
        do {
            let refresh = done != nil || Freshness.isBypassed(by: request)
            async let sending = try? self.sending(refresh: refresh, trace: context.trace)
            let board = try await read(refresh: refresh, trace: context.trace)
            let stopped = DashboardView.budgetAlert(await sending?.value.budget)
            return try frame.page(
                "destinations", title: section.title, section: section,
                notice: ConsoleNotices.stale(board, "otp-service", patience) ?? done?.notice(board.value)
                    ?? (board.value.paused == true ? .bad("All sending is paused.") : stopped),
                DestinationsView(board.value, prefix: prefix, mayDecide: mayDecide), request, context)
        } catch is UpstreamError {
            return try frame.page(
                "destinations", title: section.title, section: section, status: .serviceUnavailable,
                DestinationsView(nil, prefix: prefix, mayDecide: mayDecide), request, context)
        }
    }
}

/// The list of destinations as its template wants it.
struct DestinationsView: Sendable {
    struct Row: Sendable {
        let prefix: String
        /// The prefix in an address.
        let query: String
        let country: String
        let state: String
        let tone: String
        let reason: String?
        let isPermitted: Bool
        let sends: String
        let verified: String
        let conversion: String
        let since: Wording.Moment?
    }

    let rows: [Row]
    let hasRows: Bool
    let isEmpty: Bool
    let asOf: Wording.Moment?
    let missing: String?
    let mayDecide: Bool
    let isPaused: Bool
    /// What the form is about.
    let prefix: String
    /// The same form sent twice does it once.
    let key: String

    init(_ board: DestinationBoard?, prefix: DestinationPrefix?, mayDecide: Bool) {
        rows = (board?.destinations ?? []).map(Row.init)
        hasRows = !rows.isEmpty
        isEmpty = board != nil && rows.isEmpty
        asOf = board.map { Wording.moment($0.asOf) }
        missing =
            board == nil ? "otp-service gives no answer, and nothing of it is remembered. Try again in a moment." : nil
        self.mayDecide = mayDecide
        isPaused = board?.paused == true
        self.prefix = prefix?.text ?? ""
        key = AuditID().description
    }
}

extension DestinationsView.Row {
    init(_ item: DestinationBoard.Item) {
        prefix = item.prefix
        query = PercentText.encode(item.prefix)
        country = item.country ?? "–"
        (state, tone) = DestinationWording.state(item.state)
        reason = item.reason
        isPermitted = item.permitted ?? true
        sends = item.sends.map(Wording.number) ?? "–"
        verified = item.verified.map(Wording.number) ?? "–"
        conversion = item.conversion.map(Wording.percent) ?? "–"
        since = item.since.map(Wording.moment)
    }
}
