import HTTPServer
import HTTPTypes
import Hummingbird
import Identity
import Tokens

/// The context of a page: the operator who is signed in by cookie and whose role allows it.
struct ConsoleContext: AuthenticatedContext {
    var base: PostkeyRequestContext
    let session: SessionID
    let admin: Operator
    let theme: Theme
    /// The hidden field of the forms on the page.
    let formToken: String
    /// Where the page is, with its query, for a form that comes back to it.
    let path: String

    /// The same operator as the routes of the API know them.
    var asOperator: OperatorContext { OperatorContext(base: base, session: session, admin: admin) }
}

/// Lets operators into the console, by the same gate that the API has.
struct ConsoleAccess: Sendable {
    let cookies: ConsoleCookies
    let forms: FormTokens
    let gate: OperatorGate

    /// The caller's context. Throws 401 without a live session, 403 if the role is not enough, which is recorded.
    func admit(_ request: Request, _ base: PostkeyRequestContext, atLeast role: Role) async throws -> ConsoleContext {
        let theme = Theme(cookies.value(.theme, of: request))
        guard let token = cookies.value(.session, of: request) else { throw Problem.unauthenticated() }
        var head = request.head
        head.headerFields[.authorization] = "Bearer \(token)"
        let admitted = try await gate.admit(Request(head: head, body: request.body), base, atLeast: role)
        return ConsoleContext(
            base: base, session: admitted.session, admin: admitted.admin, theme: theme,
            formToken: forms.token(for: .session(admitted.session)), path: request.head.path ?? "/")
    }

    /// The session behind the cookie if it is alive, without counting as a use of it.
    func look(_ request: Request) async throws -> LiveSession? {
        guard let text = cookies.value(.session, of: request), let token = try? await gate.verifier.admin(text) else {
            return nil
        }
        return try await gate.sessions.live(token.sessionID, of: token.adminID)
    }

    /// The fields of a form of this session. Throws 403 for a form from elsewhere.
    func form(_ request: Request, _ owner: FormTokens.Owner) async throws -> FormFields {
        try SameOrigin.require(request)
        let fields = try await request.form()
        guard let token = fields["form_token"], forms.isValid(token, for: owner) else { throw Problem.foreignForm() }
        return fields
    }
}

/// A place to add pages to: reading by GET, changing by POST with a form that was checked.
struct ConsoleRoutes {
    let router: PostkeyRouter
    let access: ConsoleAccess

    /// Adds a page.
    func page(
        _ path: RouterPath, atLeast role: Role = .viewer,
        _ handler: @escaping @Sendable (Request, ConsoleContext) async throws -> Response
    ) {
        group(role).get(path, use: handler)
    }

    /// Adds what a form does. The handler is not called before session, role, origin and hidden field were checked.
    func action(
        _ path: RouterPath, atLeast role: Role,
        _ handler: @escaping @Sendable (FormFields, Request, ConsoleContext) async throws -> Response
    ) {
        let access = access
        group(role).post(path) { request, context in
            try await handler(try await access.form(request, .session(context.session)), request, context)
        }
    }

    private func group(_ role: Role) -> RouterGroup<ConsoleContext> {
        let access = access
        return router.group { request, context in try await access.admit(request, context, atLeast: role) }
    }
}
