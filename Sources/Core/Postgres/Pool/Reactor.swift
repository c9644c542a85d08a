import Foundation
import Logging
import Synchronization

/// The one thread that talks to the server for a pool.
///
/// It sleeps in `poll` on all sockets and the inbox's pipe. What is submitted while it works is sent in its next turn
/// together, so that load makes batches by itself. It is the only thread that ever waits for the database.
final class Reactor: Sendable {
    let inbox: Inbox
    private let whenEnded = Mutex<(ended: Bool, waiters: [UnsafeContinuation<Void, Never>])>((false, []))

    init(configuration: PostgresConfiguration, logger: Logger) throws(PostgresError) {
        let inbox = try Inbox()
        self.inbox = inbox
        let gauges = PoolGauges(pool: configuration.applicationName)
        let resolver = Resolver(configuration: configuration) { _ = inbox.post(.resolved) }
        let thread = Thread { [self] in
            let core = PoolCore(configuration: configuration, resolver: resolver, gauges: gauges, logger: logger)
            ReactorLoop(core: core, inbox: inbox).run()
            finish()
        }
        thread.name = "postgres"
        thread.stackSize = 512 * 1024
        thread.start()
    }

    /// Drains and ends the thread; returns when it has ended.
    func shutDown() async {
        _ = inbox.post(.shutDown)
        await withUnsafeContinuation { continuation in
            let isOver = whenEnded.withLock { state -> Bool in
                if !state.ended { state.waiters.append(continuation) }
                return state.ended
            }
            if isOver { continuation.resume() }
        }
    }

    private func finish() {
        let waiters = whenEnded.withLock { state -> [UnsafeContinuation<Void, Never>] in
            state.ended = true
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}

/// The turns of the reactor's thread.
private struct ReactorLoop {
    static let drain = Duration.seconds(5)
    static let clockTick = Duration.milliseconds(100)

    let core: PoolCore
    let inbox: Inbox

    func run() {
        var requests: [Inbox.Request] = []
        var polled: [pollfd] = []
        var connections: [Connection] = []
        var nextCheck = ContinuousClock.now
        var drainUntil: ContinuousClock.Instant?
        while true {
            inbox.take(&requests)
            let now = ContinuousClock.now
            for request in requests { core.handle(request, at: now) }
            core.dispatch(at: now)
            if core.isShuttingDown {
                let limit = drainUntil ?? now.advanced(by: ReactorLoop.drain)
                drainUntil = limit
                if !core.hasWork || now >= limit { break }
            }
            collect(&connections, &polled)
            let timeout = requests.isEmpty ? timeoutMilliseconds : 0
            if poll(&polled, nfds_t(polled.count), timeout) > 0 { react(polled, connections) }
            let after = ContinuousClock.now
            if after >= nextCheck {
                core.checkDeadlines(at: after)
                nextCheck = after.advanced(by: ReactorLoop.clockTick)
            }
        }
        core.closeAll()
        refuse(inbox.close())
    }

    private var timeoutMilliseconds: Int32 {
        if core.gate.failures > 0 { return 50 }
        return core.hasWork ? 100 : 1000
    }

    private func collect(_ connections: inout [Connection], _ polled: inout [pollfd]) {
        connections.removeAll(keepingCapacity: true)
        polled.removeAll(keepingCapacity: true)
        polled.append(pollfd(fd: inbox.readEnd, events: Int16(POLLIN), revents: 0))
        for lane in core.lanes {
            for connection in lane.connections where connection.descriptor >= 0 {
                // The socket is asked for each time: while connecting libpq may change it.
                polled.append(pollfd(fd: connection.descriptor, events: connection.pollEvents, revents: 0))
                connections.append(connection)
            }
        }
    }

    private func react(_ polled: [pollfd], _ connections: [Connection]) {
        let now = ContinuousClock.now
        if polled.first?.revents != 0 { inbox.drain() }
        for (entry, connection) in zip(polled.dropFirst(), connections) where entry.revents != 0 {
            core.ready(connection, at: now)
        }
    }

    private func refuse(_ requests: [Inbox.Request]) {
        for request in requests {
            switch request {
            case .submit(let statement): statement.fail(.unavailable, "shut down")
            case .checkout(let lease): lease.answer(.failure(PostgresError(.unavailable, "shut down")))
            case .listen(let subscription): subscription.finish()
            case .cancel, .cancelCheckout, .release, .unlisten, .resolved, .shutDown: break
            }
        }
    }
}
