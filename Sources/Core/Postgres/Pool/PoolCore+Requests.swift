// What tasks ask for, taken in.
extension PoolCore {
    func submit(_ statement: Statement, at now: ContinuousClock.Instant) {
        statement.isSubmitted = true
        if statement.isCancelled { return statement.fail(.cancelled, "cancelled before it was sent") }
        if let lease = statement.lease { return submit(statement, of: lease, at: now) }
        if isShuttingDown { return statement.fail(.unavailable, "shutting down") }
        let index = statement.lane.rawValue
        guard lanes[index].queue.count < configuration.queueLimit else {
            return statement.fail(.unavailable, "too many statements wait for a connection")
        }
        if isAway(lanes[index], at: now) { return statement.fail(.unavailable, "the server is away") }
        lanes[index].queue.append(statement)
    }

    func submit(_ statement: Statement, of lease: Lease, at now: ContinuousClock.Instant) {
        guard let connection = lease.connection, !lease.isReleased, connection.phase != .closed else {
            return statement.fail(.unavailable, "the transaction's connection is gone")
        }
        let begin = lease.needsBegin
        lease.needsBegin = nil
        guard connection.send(statement, begin: begin, sharesSync: false, at: now), connection.flush() else {
            return lose(connection)
        }
    }

    /// Work is refused at once when no connection has been had for longer than a checkout may wait.
    func isAway(_ lane: Lane, at now: ContinuousClock.Instant) -> Bool {
        guard let since = gate.failingSince, !lane.hasLiveConnection else { return false }
        return now - since > configuration.timing.checkout
    }

    func cancel(_ statement: Statement) {
        statement.isCancelled = true
        guard statement.isSubmitted, !statement.isAnswered else { return }
        statement.fail(.cancelled, "the task was cancelled")
        // On a shared lane the answer is dropped when it comes. A transaction's connection cannot be shared with
        // the statement that still runs: it is closed, and the server rolls back.
        if let connection = statement.lease?.connection { lose(connection) }
    }

    func checkOut(_ lease: Lease) {
        lease.isQueued = true
        if lease.isCancelled {
            return lease.answer(.failure(PostgresError(.cancelled, "cancelled while waiting for a connection")))
        }
        guard !isShuttingDown else {
            return lease.answer(.failure(PostgresError(.unavailable, "shutting down")))
        }
        let index = LaneKind.transactions.rawValue
        guard lanes[index].checkouts.count < configuration.queueLimit, !isAway(lanes[index], at: .now) else {
            return lease.answer(.failure(PostgresError(.unavailable, "no connection for a transaction")))
        }
        lanes[index].checkouts.append(lease)
    }

    func release(_ lease: Lease, isClean: Bool) {
        lease.isReleased = true
        guard let connection = lease.connection else { return }
        lease.connection = nil
        connection.lease = nil
        if connection.phase == .closed { return }
        if !isClean || !connection.isClean { lose(connection) }
    }
}
