import CLibPQ

extension Connection {
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
        case .failAtCommit(let statement, let error) where error.sqlState?.endsSession != false:
            // The server was told to stop or lost a process: before the commit or after it, nobody can say.
            statement.fail(.outcomeUnknown, "the session ended at the commit")
            retire()
        case .fail(let statement, let error), .failAtCommit(let statement, let error):
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
