import HTTPServer
import HTTPTypes
import Hummingbird
import Identity
import Tokens

/// Sign-in by page: the phone, then its code together with the second factor. And sign-out.
///
/// Until the phone is proven every phone gets the same pages.
struct SignInRoutes: Sendable {
    let frame: PageFrame
    let access: ConsoleAccess
    let tickets: SignInTickets
    let codes: SignInCodes
    let prove: ProveOperator
    let sessions: OperatorSessionStore

    func add(to router: PostkeyRouter) {
        router.get("/sign-in") { request, _ -> Response in
            if let live = try await access.look(request), live.admin.role >= .viewer {
                return .seeOther(ReturnPath.checked(try request.query.string("return")))
            }
            let restarts = try request.query.string("again") != nil
            return try show(restarts ? SignInTicket() : tickets.ticket(of: request) ?? SignInTicket(), request)
        }
        router.post("/sign-in") { request, context in
            let (ticket, form) = try await form(request)
            return try await askForCode(form["phone"] ?? "", ticket, request, context)
        }
        router.post("/sign-in/again") { request, context in
            let (ticket, _) = try await form(request)
            return try await askAgain(ticket, request, context)
        }
        router.post("/sign-in/confirm") { request, context in
            let (ticket, form) = try await form(request)
            return try await confirm(ticket, form, request, context)
        }
    }

    func addSignOut(to routes: ConsoleRoutes) {
        routes.action("/sign-out", atLeast: .viewer) { _, request, context in
            try await sessions.end(context.session, of: context.admin.id, origin: AuditOrigin(context.base))
            return .seeOther(
                "/sign-in",
                [
                    access.cookies.clear(.session, for: request),
                    HTTPField(name: .clearSiteData, value: #""cookies", "storage""#),
                ])
        }
    }

    /// The form and the sign-in it belongs to. Without a ticket, which is what a browser without cookies brings, 403.
    private func form(_ request: Request) async throws -> (SignInTicket, FormFields) {
        guard let ticket = tickets.ticket(of: request) else {
            throw Problem(
                .insufficientScope,
                detail: "This sign-in took too long, or the browser keeps no cookies. Begin it again.")
        }
        return (ticket, try await access.form(request, ticket.formOwner))
    }

    private func askForCode(
        _ phone: String, _ ticket: SignInTicket, _ request: Request, _ context: PostkeyRequestContext
    ) async throws -> Response {
        guard (4...40).contains(phone.utf8.count) else {
            return try show(ticket, request, .phone("Enter the whole number, with + and the country."), .badRequest)
        }
        switch await codes.send(to: phone, context) {
        case .sent(let challenge):
            let sent = ticket.sent(challenge, to: Self.masked(phone))
            return .seeOther(
                SignInView.path(returningTo: returnPath(request)), [try tickets.cookie(sent, for: request)])
        case .invalidPhone:
            return try show(
                ticket, request, .phone("That is not a phone number. Enter it with + and the country."),
                .unprocessableContent)
        case .notAllowed:
            return try show(ticket, request, .phone("No codes are sent to this kind of number."), .unprocessableContent)
        case .wait(let seconds):
            return try show(
                ticket, request, .phone("Too many codes were asked for. \(Self.later(seconds))"), .tooManyRequests)
        case .stopped: return try show(ticket, request, .phone(Self.stopped), .tooManyRequests)
        case .heldBack: return try show(ticket, request, .phone(Self.heldBack), .tooManyRequests)
        case .notActive, .exhausted, .away:
            return try show(
                ticket, request, .phone("otp-service gives no answer, so no code can be sent. Try again in a moment."),
                .serviceUnavailable)
        }
    }

    private static let stopped = """
        No codes are sent: sending is paused, or the messages of the day are used up. On the server, “otp-service resume” \
        ends a pause, and a larger SMS_DAILY_BUDGET allows more.
        """
    private static let heldBack = """
        No codes are sent to numbers like this one at the moment: they are blocked, or too few codes were verified there. \
        On the server, “otp-service allow” lets them through.
        """

    private func askAgain(
        _ ticket: SignInTicket, _ request: Request, _ context: PostkeyRequestContext
    ) async throws -> Response {
        guard let challenge = ticket.challenge else { return .seeOther("/sign-in?again=1") }
        switch await codes.resend(challenge, context) {
        case .sent(let challenge):
            let sent = ticket.sent(challenge, to: ticket.phone ?? "")
            return .seeOther(
                SignInView.path(returningTo: returnPath(request)), [try tickets.cookie(sent, for: request)])
        case .wait(let seconds):
            return try show(ticket, request, .code("A code is on its way. \(Self.later(seconds))"), .tooManyRequests)
        case .stopped: return try show(ticket, request, .code(Self.stopped), .tooManyRequests)
        case .heldBack: return try show(ticket, request, .code(Self.heldBack), .tooManyRequests)
        case .exhausted:
            return try show(
                ticket, request, .code("The code cannot be sent again. Begin anew for another one."),
                .unprocessableContent)
        case .notActive, .invalidPhone, .notAllowed:
            return try show(SignInTicket(), request, .phone("That code is over. Ask for a new one."), .gone)
        case .away:
            return try show(
                ticket, request, .code("otp-service gives no answer. Try again in a moment."), .serviceUnavailable)
        }
    }

    private func confirm(
        _ ticket: SignInTicket, _ form: FormFields, _ request: Request, _ context: PostkeyRequestContext
    ) async throws -> Response {
        guard ticket.challenge != nil else { return .seeOther("/sign-in?again=1") }
        guard let factor = form["second_factor"].flatMap(ProveOperator.Factor.init) else {
            return try show(ticket, request, .factor(ProveOperator.Factor.expected), .badRequest)
        }
        var ticket = ticket
        if ticket.proof == nil, let challenge = ticket.challenge {
            switch await codes.verify(challenge, code: (form["code"] ?? "").filter { $0 != " " }, context) {
            case .proven(let proof): ticket = ticket.proven(proof)
            case .incorrect(let left):
                return try show(
                    ticket, request, .code("The code is not right. \(Self.attempts(left))"), .unprocessableContent)
            case .malformed:
                return try show(ticket, request, .code("Enter the digits of the message, all of them."), .badRequest)
            case .notActive:
                return try show(SignInTicket(), request, .phone("That code is over. Ask for a new one."), .gone)
            case .wait(let seconds):
                let way = "On the server, “otp-service unlock” lifts the lock."
                return try show(
                    ticket, request, .code("Too many wrong codes for this phone. \(Self.later(seconds)) \(way)"),
                    .tooManyRequests)
            case .away:
                return try show(
                    ticket, request, .code("otp-service gives no answer. Try again in a moment."), .serviceUnavailable)
            }
        }
        return try await finish(ticket, factor, request, context)
    }

    private func finish(
        _ ticket: SignInTicket, _ factor: ProveOperator.Factor, _ request: Request, _ context: PostkeyRequestContext
    ) async throws -> Response {
        switch try await prove(ticket.proof ?? "", factor, AuditOrigin(context)) {
        case .signedIn(let token):
            return .seeOther(
                returnPath(request),
                [access.cookies.set(.session, token, for: request), access.cookies.clear(.signIn, for: request)])
        case .proofOver:
            return try show(
                SignInTicket(), request, .phone("The proof of the phone is over. Ask for a new code."), .gone)
        case .notAnAdmin:
            return try show(
                SignInTicket(), request, .phone("This phone is not an operator's. An owner can add it."), .forbidden)
        case .incorrect(let left):
            return try show(
                ticket, request, .factor("The second code is not right. \(Self.attempts(left))"), .unprocessableContent)
        case .locked(let seconds?):
            return try show(ticket, request, .factor("Too many wrong codes. \(Self.later(seconds))"), .tooManyRequests)
        case .locked(nil):
            return try show(
                ticket, request, .factor("Too many wrong codes. You have to be enrolled anew."), .tooManyRequests)
        }
    }

    private func show(
        _ ticket: SignInTicket, _ request: Request, _ mistake: SignInView.Mistake? = nil,
        _ status: HTTPResponse.Status = .ok
    ) throws -> Response {
        try frame.page(
            "sign-in", title: "Sign in", status: status, formToken: access.forms.token(for: ticket.formOwner),
            SignInView(ticket, mistake, returnPath: returnPath(request)), request,
            headers: [try tickets.cookie(ticket, for: request)])
    }

    private func returnPath(_ request: Request) -> String {
        ReturnPath.checked(try? request.query.string("return"))
    }

    private static func masked(_ phone: String) -> String {
        (try? PhoneNumber(parsing: phone, defaultRegion: nil))?.description
            ?? "the number that ends in \(phone.suffix(3))"
    }

    private static func attempts(_ left: Int) -> String {
        left == 1 ? "One more attempt." : "\(left) more attempts."
    }

    private static func later(_ seconds: Int?) -> String {
        guard let seconds else { return "Try again later." }
        return seconds < 120
            ? "Try again in \(max(1, seconds)) seconds." : "Try again in \((seconds + 59) / 60) minutes."
    }
}
