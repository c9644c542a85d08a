/// One statement on its way to the server and back.
///
/// The caller's task creates it and waits; from then on it belongs to the reactor's thread, which alone reads and
/// writes the mutable part and resumes the task exactly once. That makes it safe to send.
final class Statement: @unchecked Sendable {
    typealias Answer = Result<PostgresRows, PostgresError>

    let query: PostgresQuery
    let lane: LaneKind
    /// The transaction it belongs to; nil on the shared lanes.
    let lease: Lease?
    /// When to give up waiting for a connection.
    let queueDeadline: ContinuousClock.Instant
    /// When to give up waiting for the answer.
    let answerDeadline: ContinuousClock.Instant

    /// Whether losing the connection leaves open if it happened: a write of its own, or a COMMIT.
    let decidesOutcome: Bool

    private var completion: ((Answer) -> Void)?
    /// Whether the reactor has it; until then only the caller's task may touch `completion`.
    var isSubmitted = false
    var isCancelled = false
    /// How often it was put back into the queue.
    var attempts = 0

    init(
        _ query: PostgresQuery, lane: LaneKind, lease: Lease? = nil, decidesOutcome: Bool = false, timing: Timing,
        now: ContinuousClock.Instant
    ) {
        self.query = query
        self.decidesOutcome = decidesOutcome
        self.lane = lane
        self.lease = lease
        queueDeadline = timing.bounded(now.advanced(by: timing.checkout))
        answerDeadline = timing.bounded(now.advanced(by: timing.answer))
    }

    var isAnswered: Bool { completion == nil }

    func wait(with continuation: UnsafeContinuation<Answer, Never>) {
        completion = { continuation.resume(returning: $0) }
    }

    /// For the reactor's own statements: `completion` runs on its thread.
    func onAnswer(_ completion: @escaping (Answer) -> Void) { self.completion = completion }

    func answer(_ answer: Answer) {
        guard let completion else { return }
        self.completion = nil
        completion(answer)
    }

    func fail(_ kind: PostgresError.Kind, _ reason: String) {
        answer(.failure(PostgresError(kind, reason)))
    }
}

/// The right to use one connection alone, from checkout to release. Mutable state belongs to the reactor's thread.
final class Lease: @unchecked Sendable {
    let queueDeadline: ContinuousClock.Instant
    private var continuation: UnsafeContinuation<Result<Void, PostgresError>, Never>?
    var connection: Connection?
    var isQueued = false
    var isCancelled = false
    var isReleased = false
    /// Whether BEGIN still has to travel ahead of the next statement.
    var needsBegin: String?

    init(begin: String, timing: Timing, now: ContinuousClock.Instant) {
        needsBegin = begin
        queueDeadline = timing.bounded(now.advanced(by: timing.checkout))
    }

    var isAnswered: Bool { continuation == nil }

    func wait(with continuation: UnsafeContinuation<Result<Void, PostgresError>, Never>) {
        self.continuation = continuation
    }

    func answer(_ answer: Result<Void, PostgresError>) {
        guard let continuation else { return }
        self.continuation = nil
        continuation.resume(returning: answer)
    }
}
