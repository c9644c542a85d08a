import Caching
import HTTPServer
import HTTPTypes
import Hummingbird
import Identity

/// `POST /v1/admin/users/{id}/suspend`, `/reactivate` and `/sign-out`, `POST /v1/admin/destinations/{prefix}/allow`,
/// `/block` and `/reset`.
struct ActionRoutes: Sendable {
    let perform: PerformAction
    let directory: ReadDirectory
    let gate: OperatorGate

    func add(to router: PostkeyRouter) {
        let support = router.operators(atLeast: .support, gate)
        for action in [RemoteAction.suspend, .reactivate, .signOut] {
            support.post("/v1/admin/users/{id}/\(action.rawValue)") { request, context in
                let id = try context.parameter("id", UserID.init)
                try await act(action, .user(id), request, context)
                return try await standing(id, context)
            }
        }
        for action in [RemoteAction.allow, .block, .reset] {
            support.post("/v1/admin/destinations/{prefix}/\(action.rawValue)") { request, context in
                let prefix = try context.parameter("prefix", DestinationPrefix.init)
                try await act(action, .destination(prefix), request, context)
                return Response.empty()
            }
        }
    }

    /// The user after an act that was done.
    private func standing(_ id: UserID, _ context: OperatorContext) async throws -> Response {
        do {
            let user = try await directory.user(id, refresh: true, trace: context.trace)
            return Response.json(.ok, text: user.value.json, headers: Freshness.headers(age: user.age))
        } catch let error as UpstreamError {
            guard var problem = AdminProblems.problem(for: error) else { throw error }
            problem.detail = """
                The action was carried out and recorded; only how the user stands now could not be read. Read the user \
                again instead of repeating the action.
                """
            throw problem
        }
    }

    /// Throws the problem if it is not done.
    private func act(
        _ action: RemoteAction, _ target: ActionTarget, _ request: Request, _ context: OperatorContext
    ) async throws {
        let key = try Self.key(request)
        let reason = try await Self.reason(for: action, request)
        let outcome = try await perform(
            action, on: target, reason: reason, key: key, by: context.admin.id, origin: AuditOrigin(context.base),
            trace: context.trace)
        if let error = outcome.error { throw error }
    }

    /// To suspend wants a reason; the other actions may come without a body.
    private static func reason(for action: RemoteAction, _ request: Request) async throws -> Reason? {
        let text: String?
        if action == .suspend {
            text = try await request.json(as: ReasonBody.self).reason
        } else {
            text = try await request.optionalJSON(as: OptionalReasonBody.self)?.reason
        }
        guard let text else { return nil }
        guard let reason = Reason(text) else { throw Problem.invalid("reason", Reason.expected) }
        return reason
    }

    private static func key(_ request: Request) throws(Problem) -> ClientKey? {
        guard let name = HTTPField.Name("Idempotency-Key"), request.headers[name] != nil else { return nil }
        guard let key = request.header(name).flatMap(ClientKey.init) else {
            throw .invalid("Idempotency-Key", "must be 1 to 64 visible characters of ASCII")
        }
        return key
    }
}

private struct OptionalReasonBody: JSONBody {
    static let members: Set<String> = ["reason"]
    let reason: String?
}

struct ReasonBody: JSONBody {
    static let members: Set<String> = ["reason"]
    let reason: String
}
