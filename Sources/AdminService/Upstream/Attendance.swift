import Identity
import Logging
import Synchronization

/// Whether another service answers, said in the log when that changes and not for each request.
///
/// One question without an answer is no outage: a search may take longer than anybody waits. Three in a row are.
final class Attendance: Sendable {
    private struct State {
        var failures = 0
        /// Of the first failure in a row.
        var since = ContinuousClock.now
    }

    /// So many failures in a row are an outage.
    static let limit = 3

    private let name: ServiceName
    private let logger: Logger
    private let state = Mutex(State())

    init(of name: ServiceName, logger: Logger) {
        self.name = name
        self.logger = logger
    }

    /// It answered, if only to say what is wrong with the question.
    func answered() {
        let outage = state.withLock { state -> Duration? in
            defer { state.failures = 0 }
            return state.failures >= Self.limit ? ContinuousClock.now - state.since : nil
        }
        guard let outage else { return }
        logger.notice(
            "Another service answers again.",
            metadata: ["service": "\(name.rawValue)", "seconds": "\(outage.components.seconds)"])
    }

    /// There was no answer in time, or it said that it cannot.
    func failed() {
        let begins = state.withLock { state in
            if state.failures == 0 { state.since = .now }
            guard state.failures < Self.limit else { return false }
            state.failures += 1
            return state.failures == Self.limit
        }
        guard begins else { return }
        logger.warning("Another service gives no answer.", metadata: ["service": "\(name.rawValue)"])
    }
}
