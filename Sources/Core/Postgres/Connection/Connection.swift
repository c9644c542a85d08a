import CLibPQ
import Foundation

/// One session with the server in libpq's pipeline mode. Only the reactor's thread touches it.
///
/// It sends what it is given and turns results into answers; which connection gets what is the pool's business.
final class Connection {
    enum Phase {
        case connecting
        case ready
        /// Takes nothing new; closed when its last answer is in.
        case retiring
        case closed
    }

    typealias Ledger = PipelineLedger<Statement, PostgresRows, PostgresError>

    /// What happened while reading, for the pool to act on.
    struct Outcome {
        /// Statements that were not executed and may be sent again.
        var retries: [Statement] = []
        var notifications: [(channel: String, payload: String)] = []
        /// The connection is unusable and must be closed.
        var isBroken = false
    }

    let lane: LaneKind
    let connectDeadline: ContinuousClock.Instant
    var phase: Phase = .connecting
    var ledger = Ledger()
    /// When the server last said something, or was first owed an answer.
    var lastHeard: ContinuousClock.Instant
    /// The transaction that owns this connection.
    weak var lease: Lease?

    var handle: OpaquePointer?
    var prepared = PreparedStatements()
    var buffers = ParameterBuffers()
    var needsSync = false
    var pollEvents: Int16 = Int16(POLLOUT)

    init(
        lane: LaneKind, keywords: [(keyword: String, value: String)], now: ContinuousClock.Instant,
        deadline: ContinuousClock.Instant
    ) {
        self.lane = lane
        lastHeard = now
        connectDeadline = deadline
        handle = Connection.start(keywords)
        guard let handle, PQstatus(handle) != CONNECTION_BAD else {
            close()
            return
        }
        // Notices may quote values, and libpq would print them to stderr.
        PQsetNoticeReceiver(handle, { _, _ in }, nil)
    }

    deinit { close() }

    private static func start(_ keywords: [(keyword: String, value: String)]) -> OpaquePointer? {
        var names: [UnsafeMutablePointer<CChar>?] = keywords.map { strdup($0.keyword) }
        var values: [UnsafeMutablePointer<CChar>?] = keywords.map { strdup($0.value) }
        defer { (names + values).forEach { free($0) } }
        names.append(nil)
        values.append(nil)
        let constantNames = names.map { UnsafePointer($0) }
        let constantValues = values.map { UnsafePointer($0) }
        return PQconnectStartParams(constantNames, constantValues, 0)
    }

    var descriptor: Int32 { handle.map { PQsocket($0) } ?? -1 }
    var isReady: Bool { phase == .ready }
    var load: Int { ledger.executing }
    var isIdle: Bool { ledger.isEmpty && !needsSync }

    /// What libpq says of a failed attempt: host, port and the server's reason, never the password.
    private(set) var failure = "no connection"

    func close() {
        if let handle, phase == .connecting, let message = PQerrorMessage(handle) {
            failure = String(cString: message).split(whereSeparator: \.isNewline).joined(separator: " ")
        }
        phase = .closed
        if let handle { PQfinish(handle) }
        handle = nil
    }

    /// Hands back everything that was sent and not answered.
    func abandon() -> [Statement] { ledger.abandon() }

    func retire() { if phase == .ready { phase = .retiring } }

    /// Whether the server owes an answer and has been silent for longer than `limit`.
    func isSilent(at now: ContinuousClock.Instant, limit: Duration) -> Bool {
        !ledger.isEmpty && now - lastHeard > limit
    }

    /// Ends the waits of callers that have waited long enough; their answers are dropped when they come.
    func answerLate(at now: ContinuousClock.Instant) {
        ledger.forEachExecuting { statement in
            if now >= statement.answerDeadline { statement.fail(.timeout, "no answer in time") }
        }
    }

    /// Whether a released transaction left nothing behind.
    var isClean: Bool {
        guard let handle else { return false }
        return ledger.isEmpty && PQtransactionStatus(handle) == PQTRANS_IDLE
    }

    // MARK: - Connecting

    /// Goes on with the handshake; true once the session is ready. Closes itself on failure.
    func proceedConnecting(at now: ContinuousClock.Instant) -> Bool {
        guard let handle else { return false }
        switch PQconnectPoll(handle) {
        case PGRES_POLLING_READING:
            pollEvents = Int16(POLLIN)
            return false
        case PGRES_POLLING_WRITING:
            pollEvents = Int16(POLLOUT)
            return false
        case PGRES_POLLING_OK:
            return finishConnecting(handle, at: now)
        default:
            close()
            return false
        }
    }

    private func finishConnecting(_ handle: OpaquePointer, at now: ContinuousClock.Instant) -> Bool {
        // client_connection_check_interval and the status of a standby are known from version 14 on.
        guard PQserverVersion(handle) >= 140_000, PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1
        else {
            close()
            return false
        }
        phase = .ready
        lastHeard = now
        pollEvents = Int16(POLLIN)
        return true
    }
}
