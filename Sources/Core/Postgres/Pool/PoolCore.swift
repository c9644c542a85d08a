import DequeModule
import Logging

/// All state of the pool and every decision about it. Only the reactor's thread enters.
///
/// Each turn: take the requests, give statements to connections, send, wait for the sockets, read answers, look at the
/// clock. `Reactor` calls in this order.
final class PoolCore {
    let configuration: PostgresConfiguration
    private let resolver: Resolver
    var lanes: [Lane]
    var gate = ConnectGate()
    var listener: Listener
    var isShuttingDown = false
    private let gauges: PoolGauges
    private let logger: Logger

    init(configuration: PostgresConfiguration, resolver: Resolver, gauges: PoolGauges, logger: Logger) {
        self.logger = logger
        self.configuration = configuration
        self.resolver = resolver
        self.gauges = gauges
        lanes = [
            Lane(kind: .reads, limit: configuration.reads),
            Lane(kind: .writes, limit: configuration.writes),
            Lane(kind: .transactions, limit: configuration.transactions),
            Lane(kind: .notifications, limit: 1),
        ]
        listener = Listener()
    }

    // MARK: - Requests

    func handle(_ request: Inbox.Request, at now: ContinuousClock.Instant) {
        switch request {
        case .submit(let statement): submit(statement, at: now)
        case .cancel(let statement): cancel(statement)
        case .checkout(let lease): checkOut(lease)
        case .cancelCheckout(let lease):
            lease.isCancelled = true
            guard lease.isQueued else { return }
            lease.answer(.failure(PostgresError(.cancelled, "cancelled while waiting for a connection")))
        case .release(let lease, let isClean): release(lease, isClean: isClean)
        case .listen(let subscription): listener.add(subscription, timing: configuration.timing)
        case .unlisten(let subscription): listener.remove(subscription)
        case .resolved: break
        case .shutDown: isShuttingDown = true
        }
    }

    private func submit(_ statement: Statement, at now: ContinuousClock.Instant) {
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

    private func submit(_ statement: Statement, of lease: Lease, at now: ContinuousClock.Instant) {
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
    private func isAway(_ lane: Lane, at now: ContinuousClock.Instant) -> Bool {
        guard let since = gate.failingSince, !lane.hasLiveConnection else { return false }
        return now - since > configuration.timing.checkout
    }

    private func cancel(_ statement: Statement) {
        statement.isCancelled = true
        guard statement.isSubmitted, !statement.isAnswered else { return }
        statement.fail(.cancelled, "the task was cancelled")
        // On a shared lane the answer is dropped when it comes. A transaction's connection cannot be shared with
        // the statement that still runs: it is closed, and the server rolls back.
        if let connection = statement.lease?.connection { lose(connection) }
    }

    private func checkOut(_ lease: Lease) {
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

    private func release(_ lease: Lease, isClean: Bool) {
        lease.isReleased = true
        guard let connection = lease.connection else { return }
        lease.connection = nil
        connection.lease = nil
        if connection.phase == .closed { return }
        if !isClean || !connection.isClean { lose(connection) }
    }

    // MARK: - Dispatch

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

    private var lostWhileSending: [Connection] = []

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

    private func connected() {
        if gate.failures > 0 { logger.notice("PostgreSQL is back") }
        gate.succeeded()
    }

    private func connectFailed(at now: ContinuousClock.Instant, _ reason: String) {
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

    // MARK: - Sockets

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

    private func abandon(_ connection: Connection, into lane: inout Lane) {
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

    private func again(_ statement: Statement) {
        statement.attempts += 1
        guard statement.attempts <= 3, !statement.isAnswered else {
            return statement.fail(.unavailable, "gave up after several tries")
        }
        lanes[statement.lane.rawValue].queue.append(statement)
    }

    private func remove(_ connection: Connection) {
        lanes[connection.lane.rawValue].connections.removeAll { $0 === connection }
    }

    // MARK: - Clock

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
