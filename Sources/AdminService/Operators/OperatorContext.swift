import HTTPServer
import Hummingbird
import Identity
import Tokens

/// The context of a request by a signed-in operator whose role allows it; there is no other way to get one.
struct OperatorContext: AuthenticatedContext {
    var base: PostkeyRequestContext
    let session: SessionID
    let admin: Operator
}

/// Lets operators in, with the rights the database says they have at this moment.
struct OperatorGate: Sendable {
    let verifier: TokenVerifier
    let sessions: OperatorSessionStore
    let audit: AuditStore

    /// The caller's context. Throws 401 unless their session is alive, 403 unless their role is at least `role`;
    /// that refusal is recorded.
    func admit(_ request: Request, _ base: PostkeyRequestContext, atLeast role: Role) async throws -> OperatorContext {
        let text = try request.bearerToken()
        let token: AdminToken
        do {
            token = try await verifier.admin(text)
        } catch {
            throw Problem.invalidToken()
        }
        guard let live = try await sessions.live(token.sessionID, of: token.adminID) else {
            throw Problem.invalidToken()
        }
        if live.isTouchDue { try await sessions.touch(live.id) }
        let context = OperatorContext(base: base, session: live.id, admin: live.admin)
        try await require(role, context, request)
        return context
    }

    /// Throws 403 unless the caller's role is at least `role`; that refusal is recorded.
    func require(_ role: Role, _ context: OperatorContext, _ request: Request) async throws {
        guard context.admin.role < role else { return }
        try await audit.record(
            .denied, by: context.admin.id,
            target: ("route", "\(request.method.rawValue) \(context.base.endpointPath ?? "")"),
            reason: "needs \(role.rawValue), is \(context.admin.role.rawValue)", origin: AuditOrigin(context.base))
        throw Problem.insufficientScope("This needs the role \(role.rawValue) or a higher one.")
    }
}

extension RouterMethods where Context == PostkeyRequestContext {
    /// Routes for operators whose role is at least `role`.
    func operators(atLeast role: Role, _ gate: OperatorGate) -> RouterGroup<OperatorContext> {
        group { request, context in try await gate.admit(request, context, atLeast: role) }
    }
}
