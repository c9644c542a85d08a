import Deadlines

/// How long each wait may last. None is without end (rule 8 of docs/architecture.md).
package struct Timing: Sendable {
    /// Waiting for a usable connection.
    package var checkout: Duration = .seconds(2)
    /// From submission to answer; above the server's own `statement_timeout`, so that the server speaks first.
    package var answer: Duration = .milliseconds(4200)
    /// The server's `statement_timeout`.
    package var statement: Duration = .milliseconds(2500)
    /// The server's `lock_timeout`.
    package var lock: Duration = .milliseconds(1000)
    /// The server's `idle_in_transaction_session_timeout`.
    package var idleInTransaction: Duration = .seconds(5)
    /// From resolving the name to a session that is ready.
    package var connect: Duration = .seconds(3)
    /// A connection that owes an answer and is silent for so long is in a black hole and is closed.
    package var silence: Duration = .seconds(3)

    package init() {}

    /// No wait outlives the request it belongs to.
    func bounded(_ instant: ContinuousClock.Instant) -> ContinuousClock.Instant {
        guard let deadline = RequestDeadline.current else { return instant }
        return min(instant, deadline)
    }
}
