import HTTPServer
import Identity

/// The problems of actions on users and destinations.
extension ProblemType {
    static let userDeleted = ProblemType(
        "user-deleted", status: 409, title: "The user is deleted",
        explanation: "A deleted user has no phone, no session and no way back; nothing can be done to them.")
    static let actionUnderWay = ProblemType(
        "action-under-way", status: 409, title: "Another action is not finished",
        explanation: """
            An earlier action on the same user or destination got no answer from the service that carries it out. It is \
            finished as soon as that answers; then send this one again.
            """)
    static let idempotencyKeyReused = ProblemType(
        "idempotency-key-reused", status: 422, title: "The Idempotency-Key was used for something else",
        explanation: "A key stands for one action with one target and one reason. Make a new key for a new action.")
}

extension PerformAction.Outcome {
    /// The problem to answer with; nil when it is done.
    var problem: Problem? {
        switch self {
        case .done: nil
        case .notFound: Problem(.notFound)
        case .deleted: Problem(.userDeleted)
        case .busy: Problem(.actionUnderWay, retryAfter: 10)
        case .keyReused: Problem(.idempotencyKeyReused)
        case .refused(let code): Problem(.notFound, detail: "The service that does it refused: \(code).")
        case .away(let service, isWritten: false):
            Problem(.serviceUnavailable, detail: "No answer from \(service.rawValue); nothing was done.", retryAfter: 5)
        case .away(let service, isWritten: true):
            Problem(
                .serviceUnavailable,
                detail:
                    "No answer from \(service.rawValue) yet. The action is recorded and will be finished when it answers.",
                retryAfter: 10)
        }
    }
}
