import HTTPServer
import HTTPTypes
import Hummingbird
import Identity
import Logging
import Tokens

/// `POST /internal/users/{id}/suspend`, `/reactivate` and `/sign-out`, for the other services.
struct ActionRoutes: Sendable {
    let actions: ActionStore
    let directory: DirectoryStore
    let verifier: TokenVerifier
    let signal: ChangeSignal

    func add(to router: PostkeyRouter) {
        let routes = router.group("/internal/users/{id}", serviceTokens: verifier, audience: .user, callers: [.admin])
        for action in UserAction.allCases {
            routes.post(RouterPath(action.rawValue)) { request, context in
                let id = try context.parameter("id") { UserID($0) }
                let key = try Self.key(request)
                _ = try await request.optionalJSON(as: ActionBody.self)?.checked()
                let (outcome, ended) = try await actions.act(action, on: id, key: key)
                UserMetrics.acted(action, outcome)
                context.logger.info(
                    "An action on a user",
                    metadata: [
                        "action": "\(action.rawValue)", "outcome": "\(outcome.rawValue)", "user_id": "\(id)",
                        "sessions_ended": "\(ended)", "asked_by": "\(context.service.rawValue)",
                    ])
                if let problem = Self.problem(outcome) { throw problem }
                signal.give()
                guard let entry = try await directory.entry(id) else { throw Problem(.notFound) }
                return Response.json(.ok, text: entry.json)
            }
        }
    }

    private static func key(_ request: Request) throws(Problem) -> ActionKey? {
        guard let name = HTTPField.Name("Idempotency-Key"), request.headers[name] != nil else { return nil }
        guard let key = request.header(name).flatMap(ActionKey.init) else {
            throw .invalid("Idempotency-Key", "must be 1 to 64 visible characters of ASCII")
        }
        return key
    }

    private static func problem(_ outcome: UserActionOutcome) -> Problem? {
        switch outcome {
        case .done: nil
        case .unknown: Problem(.notFound)
        case .deleted: Problem(.userDeleted)
        case .keyReused: Problem(.idempotencyKeyReused)
        }
    }
}

/// The body of an action, which may be absent. The reason is kept by whoever keeps the audit log, not here.
struct ActionBody: JSONBody {
    static let members: Set<String> = ["reason"]
    /// In Unicode scalars.
    static let longestReason = 500

    let reason: String?

    /// Throws 400 for a reason that is no text for people.
    func checked() throws(Problem) {
        guard let reason else { return }
        guard DisplayText.stored(reason, maximumLength: Self.longestReason) != nil else {
            throw .invalid("reason", "must be 1 to \(Self.longestReason) characters without control characters")
        }
    }
}
