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
        guard live.admin.role >= role else {
            try await audit.record(
                .denied, by: live.admin.id, target: ("route", "\(request.method.rawValue) \(base.endpointPath ?? "")"),
                reason: "needs \(role.rawValue), is \(live.admin.role.rawValue)", origin: AuditOrigin(base))
            throw Problem.insufficientScope("This needs the role \(role.rawValue) or a higher one.")
        }
        return OperatorContext(base: base, session: live.id, admin: live.admin)
    }
}

extension RouterMethods where Context == PostkeyRequestContext {
    /// Routes for operators whose role is at least `role`.
    func operators(atLeast role: Role, _ gate: OperatorGate) -> RouterGroup<OperatorContext> {
        group { request, context in try await gate.admit(request, context, atLeast: role) }
    }
}
