import DequeModule

// Every wait has an end.
extension PoolCore {
    /// Ends every wait that has lasted too long. Called a few times a second while anything waits.
    func checkDeadlines(at now: ContinuousClock.Instant) {
        for index in lanes.indices {
            for connection in lanes[index].connections {
                let isLate = connection.phase == .connecting && now >= connection.connectDeadline
                if isLate || connection.isSilent(at: now, limit: configuration.timing.silence) { lose(connection) }
            }
            lanes[index].queue.removeAll { statement in
                if statement.isAnswered { return true }
                guard now >= statement.queueDeadline else { return false }
                statement.fail(.unavailable, "no connection in time")
                return true
            }
            for connection in lanes[index].connections { connection.answerLate(at: now) }
            lanes[index].checkouts.removeAll { lease in
                if lease.isAnswered { return true }
                guard now >= lease.queueDeadline else { return false }
                lease.answer(.failure(PostgresError(.unavailable, "no connection in time")))
                return true
            }
        }
        if let connection = lanes[LaneKind.notifications.rawValue].connections.first {
            listener.keepAlive(on: connection, at: now, timing: configuration.timing)
        }
        gauges.update(from: lanes)
    }

    var hasWork: Bool {
        lanes.contains { lane in
            !lane.queue.isEmpty || !lane.checkouts.isEmpty
                || lane.connections.contains {
                    $0.phase == .connecting || ($0.lane != .notifications && (!$0.isIdle || $0.lease != nil))
                }
        }
    }

    /// Ends everything, when the time to drain is over.
    func closeAll() {
        for index in lanes.indices {
            for connection in lanes[index].connections { lose(connection) }
            while let statement = lanes[index].queue.popFirst() { statement.fail(.unavailable, "shut down") }
            while let lease = lanes[index].checkouts.popFirst() {
                lease.answer(.failure(PostgresError(.unavailable, "shut down")))
            }
        }
        listener.finish()
    }
}
