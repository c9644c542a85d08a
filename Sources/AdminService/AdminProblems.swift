import HTTPServer
import Identity
import Logging

/// What the errors of this service stand for, wherever a route or a page lets them through.
enum AdminProblems {
    /// The problem; nil for what is a defect, and for errors that others know.
    ///
    /// What the audit log does not take is logged: nothing can be done in the console before somebody looks.
    static func problem(for error: any Error, _ logger: Logger) -> Problem? {
        switch error {
        case let error as UpstreamError: return problem(for: error)
        case let error as NotRecorded:
            logger.error("Nothing can be recorded", metadata: ["error": "\(error)"])
            return Problem(
                .serviceUnavailable,
                detail: "Nothing was done: what operators do is recorded first, and the audit log takes no row now.",
                retryAfter: 5)
        case let error as Unconfirmed:
            logger.error("An act waits to be recorded", metadata: ["error": "\(error)"])
            return Problem(
                .serviceUnavailable,
                detail: """
                    It was carried out by \(error.service.rawValue). The audit log takes its row a little later, without \
                    being asked again.
                    """, retryAfter: 10)
        default: return nil
        }
    }

    /// Nil if the other service found our question malformed, which is a defect of ours.
    static func problem(for error: UpstreamError) -> Problem? {
        switch error {
        case .unavailable(let service), .unreadable(let service): .upstreamAway([service])
        case .notFound: Problem(.notFound)
        case .refused: nil
        }
    }
}
