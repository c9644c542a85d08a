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
    private(set) var phase: Phase = .connecting
    private(set) var ledger = Ledger()
    /// When the server last said something, or was first owed an answer.
    private(set) var lastHeard: ContinuousClock.Instant
    /// The transaction that owns this connection.
    weak var lease: Lease?

    private var handle: OpaquePointer?
    private var prepared = PreparedStatements()
    private var buffers = ParameterBuffers()
    private var needsSync = false
    private var wantsWrite = false
    private(set) var pollEvents: Int16 = Int16(POLLOUT)

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

    // MARK: - State

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

    // MARK: - Sending

    /// Puts a statement into libpq's buffer; `flush` sends it. False when the connection is broken.
    ///
    /// With `sharesSync` the statement waits for the Sync of its tick, else it gets one of its own.
    func send(_ statement: Statement, begin: String? = nil, sharesSync: Bool, at now: ContinuousClock.Instant) -> Bool {
        guard let handle else { return false }
        if !sharesSync && !sync() { return false }
        if ledger.isEmpty { lastHeard = now }
        if let begin {
            guard PQsendQueryParams(handle, begin, 0, nil, nil, nil, nil, 1) == 1 else { return false }
            ledger.sent(.begin)
        }
        let sent = buffers.withPointers(to: statement.query.parameters) { parameters in
            guard let name = prepared.name(for: statement.query.sql) else {
                return PQsendQueryParams(
                    handle, statement.query.sql, parameters.count, parameters.types, parameters.values,
                    parameters.lengths, parameters.formats, 1) == 1
            }
            if name.isNew {
                guard PQsendPrepare(handle, name.text, statement.query.sql, parameters.count, parameters.types) == 1
                else { return false }
                ledger.sent(.prepare(statement))
            }
            return PQsendQueryPrepared(
                handle, name.text, parameters.count, parameters.values, parameters.lengths, parameters.formats, 1) == 1
        }
        guard sent else { return false }
        ledger.sent(.execute(statement))
        needsSync = true
        return sharesSync ? true : sync()
    }

    private func sync() -> Bool {
        guard let handle, needsSync else { return true }
        needsSync = false
        guard PQpipelineSync(handle) == 1 else { return false }
        ledger.sent(.sync)
        return true
    }

    /// Closes the segment of this tick and writes what the socket takes. False when the connection is broken.
    func flush() -> Bool {
        guard let handle else { return false }
        guard sync() else { return false }
        switch PQflush(handle) {
        case 0: pollEvents = Int16(POLLIN)
        case 1: pollEvents = Int16(POLLIN | POLLOUT)
        default: return false
        }
        return true
    }

    // MARK: - Receiving

    /// Reads what has arrived and answers the statements that are complete.
    func receive(at now: ContinuousClock.Instant) -> Outcome {
        var outcome = Outcome()
        guard let handle else {
            outcome.isBroken = true
            return outcome
        }
        lastHeard = now
        if PQconsumeInput(handle) == 0 { outcome.isBroken = true }
        var isConfused = false
        while !isConfused, !ledger.isEmpty, PQisBusy(handle) == 0 {
            let event = Connection.event(PQgetResult(handle))
            // An error without SQLSTATE is libpq's own word that the connection is gone: nothing was answered.
            if case .failed(let error) = event, error.sqlState == nil {
                isConfused = true
            } else {
                isConfused = !perform(ledger.received(event), &outcome)
            }
        }
        if isConfused { outcome.isBroken = true }
        while let notification = PQnotifies(handle) {
            outcome.notifications.append(
                (String(cString: notification.pointee.relname), String(cString: notification.pointee.extra)))
            PQfreemem(notification)
        }
        if PQstatus(handle) == CONNECTION_BAD { outcome.isBroken = true }
        return outcome
    }

    private static func event(_ pointer: OpaquePointer?) -> Ledger.Event {
        guard let pointer else { return .endOfStatement }
        let status = PQresultStatus(pointer)
        let result = PostgresResult(owning: pointer)
        switch status {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK: return .rows(PostgresRows(result: result))
        case PGRES_PIPELINE_SYNC: return .synced
        case PGRES_PIPELINE_ABORTED: return .aborted
        default: return .failed(result.error)
        }
    }

    /// False when the answer did not fit what was sent.
    private func perform(_ action: Ledger.Action, _ outcome: inout Outcome) -> Bool {
        switch action {
        case .none: break
        case .complete(let statement, let rows): statement.answer(.success(rows))
        case .notPrepared(let statement): prepared.forget(statement.query.sql)
        case .retry(let statement): outcome.retries.append(statement)
        case .confused: return false
        case .fail(let statement, let error):
            if let state = error.sqlState, state.spoilsConnection, !(lane == .reads && state == .readOnlyTransaction) {
                retire()
            }
            if Connection.mayRunAgain(statement, after: error) {
                outcome.retries.append(statement)
            } else {
                statement.answer(.failure(error))
            }
        }
        return true
    }

    /// Whether an error left nothing behind and another try may go better: a deadlock, a serialization failure, or a
    /// prepared statement that the session lost.
    private static func mayRunAgain(_ statement: Statement, after error: PostgresError) -> Bool {
        guard statement.lease == nil, let state = error.sqlState else { return false }
        if state.isRetryable || state == .invalidStatementName { return true }
        // A read is repeated on another connection when its plan no longer fits or its server goes away.
        return statement.lane == .reads && (state == .featureNotSupported || state.rawValue.hasPrefix("57P"))
    }
}
