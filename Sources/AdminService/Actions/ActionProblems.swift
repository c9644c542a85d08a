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
            An earlier action on the same user or destination is being carried out at this moment, or the service that \
            carries it out gives no answer; the detail says which. Send this one again after "Retry-After".
            """)
    static let actionRefused = ProblemType(
        "action-refused", status: 422, title: "The service refuses the action",
        explanation: """
            The service that carries it out understood the action and will not do it; the detail has its reason. Nothing \
            was changed, and the audit log has a row about it.
            """)
    static let idempotencyKeyReused = ProblemType(
        "idempotency-key-reused", status: 422, title: "The Idempotency-Key was used for something else",
        explanation: "A key stands for one action with one target and one reason. Make a new key for a new action.")
}

/// Another service found a request of ours malformed: a defect, which is logged where it ends up.
struct MalformedRequest: Error, CustomStringConvertible {
    let code: String
    var description: String { "another service found our request malformed: \(code)" }
}

extension PerformAction.Outcome {
    /// The problem to answer with, or the defect behind it; nil when it is done.
    var error: (any Error)? {
        switch self {
        case .done: nil
        case .notFound: Problem(.notFound)
        case .deleted: Problem(.userDeleted)
        case .busy(nil):
            Problem(
                .actionUnderWay,
                detail: "Another action on the same is being carried out at this moment. Try again in a second.",
                retryAfter: 1)
        case .busy(let service?):
            Problem(
                .actionUnderWay,
                detail: """
                    An earlier action on the same waits for \(service.rawValue), which gives no answer, and is finished \
                    first. Try again when it does.
                    """, retryAfter: 10)
        case .keyReused: Problem(.idempotencyKeyReused)
        // The request and its key are ours.
        case .refused(let code) where ["invalid-request", "idempotency-key-reused"].contains(code):
            MalformedRequest(code: code)
        case .refused(let code):
            Problem(.actionRefused, detail: "The service that carries it out refuses it: \(code).")
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
