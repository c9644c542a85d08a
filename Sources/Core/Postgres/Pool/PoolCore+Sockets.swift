// What the sockets say: connections that come about, answer, and are lost.
extension PoolCore {
    func ready(_ connection: Connection, at now: ContinuousClock.Instant) {
        switch connection.phase {
        case .connecting:
            if connection.proceedConnecting(at: now) {
                connected()
                if connection.lane == .notifications { listener.connected(connection, timing: configuration.timing) }
            } else if connection.phase == .closed {
                connectFailed(at: now, connection.failure)
                remove(connection)
            }
        case .ready, .retiring:
            let outcome = connection.receive(at: now)
            for statement in outcome.retries { again(statement) }
            for (channel, payload) in outcome.notifications { listener.deliver(channel: channel, payload: payload) }
            if outcome.isBroken || !connection.flush() { lose(connection) }
        case .closed: break
        }
    }

    /// Closes a connection; what it owed is sent again when that is harmless, else its outcome is unknown.
    func lose(_ connection: Connection) {
        abandon(connection, into: &lanes[connection.lane.rawValue])
    }

    func abandon(_ connection: Connection, into lane: inout Lane) {
        let owed = connection.abandon()
        if connection.phase == .connecting { connectFailed(at: .now, "no answer while connecting") }
        connection.close()
        lane.connections.removeAll { $0 === connection }
        if connection.lane == .notifications { listener.disconnected() }
        for statement in owed where !statement.isAnswered {
            if statement.lane == .reads && statement.attempts < 1 && !isShuttingDown {
                statement.attempts += 1
                lane.queue.append(statement)
            } else {
                statement.fail(
                    statement.decidesOutcome ? .outcomeUnknown : .unavailable, "the connection was lost")
            }
        }
    }

    func again(_ statement: Statement) {
        statement.attempts += 1
        guard statement.attempts <= 3, !statement.isAnswered else {
            return statement.fail(.unavailable, "gave up after several tries")
        }
        lanes[statement.lane.rawValue].queue.append(statement)
    }

    func remove(_ connection: Connection) {
        lanes[connection.lane.rawValue].connections.removeAll { $0 === connection }
    }
}
