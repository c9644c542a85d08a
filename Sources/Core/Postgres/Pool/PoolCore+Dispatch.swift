import Logging

// Waiting work is given to connections, and missing connections are opened.
extension PoolCore {
    /// Gives waiting work to connections and opens what is missing.
    func dispatch(at now: ContinuousClock.Instant) {
        for index in lanes.indices {
            send(&lanes[index], at: now)
            closeRetired(&lanes[index])
            open(&lanes[index], at: now)
        }
    }

    private func send(_ lane: inout Lane, at now: ContinuousClock.Instant) {
        switch lane.kind {
        case .reads, .writes:
            guard !lane.queue.isEmpty else { return }
            var broken: [Connection] = []
            while !lane.queue.isEmpty, let connection = lane.leastLoaded {
                let statement = lane.queue.removeFirst()
                if statement.isAnswered { continue }
                // What was aborted by a neighbour's error is sent again with a Sync of its own.
                let sharesSync = lane.kind == .reads && statement.attempts == 0
                if !connection.send(statement, sharesSync: sharesSync, at: now) {
                    connection.retire()
                    broken.append(connection)
                }
            }
            for connection in lane.connections where connection.isReady && !connection.isIdle {
                if !connection.flush() { broken.append(connection) }
            }
            lostWhileSending.append(contentsOf: broken)
        case .transactions:
            while let lease = lane.checkouts.first {
                if lease.isAnswered || lease.isCancelled {
                    lane.checkouts.removeFirst()
                    continue
                }
                guard let connection = lane.free else { return }
                lane.checkouts.removeFirst()
                lease.connection = connection
                connection.lease = lease
                lease.answer(.success(()))
            }
        case .notifications: break
        }
    }

    private func closeRetired(_ lane: inout Lane) {
        for connection in lane.connections where connection.phase == .retiring {
            if connection.isIdle && connection.lease == nil { connection.close() }
        }
        lane.connections.removeAll { $0.phase == .closed }
        let lost = lostWhileSending
        lostWhileSending = []
        for connection in lost { abandon(connection, into: &lane) }
    }

    private func open(_ lane: inout Lane, at now: ContinuousClock.Instant) {
        guard !isShuttingDown else { return }
        if lane.kind == .notifications && !listener.isWanted { return }
        for _ in 0..<lane.shortage {
            guard gate.mayConnect(at: now) else { return }
            switch resolver.state(at: now) {
            case .notNeeded: connect(&lane, addresses: [], at: now)
            case .resolved(let addresses): connect(&lane, addresses: addresses, at: now)
            case .resolving: return
            case .failed:
                gate.started()
                connectFailed(at: now, "the host name does not resolve")
            }
        }
    }

    func connected() {
        if gate.failures > 0 { logger.notice("PostgreSQL is back") }
        gate.succeeded()
    }

    func connectFailed(at now: ContinuousClock.Instant, _ reason: String) {
        // Said once for each outage, not for each attempt.
        if gate.failures == 0 { logger.warning("PostgreSQL is away", metadata: ["reason": "\(reason)"]) }
        gate.failed(at: now, jitter: .random(in: 0...1))
    }

    private func connect(_ lane: inout Lane, addresses: [String], at now: ContinuousClock.Instant) {
        gate.started()
        let connection = Connection(
            lane: lane.kind, keywords: configuration.sessionKeywords(for: lane.kind, addresses: addresses), now: now,
            deadline: now.advanced(by: configuration.timing.connect))
        if connection.phase == .closed {
            connectFailed(at: now, connection.failure)
        } else {
            lane.connections.append(connection)
        }
    }
}
