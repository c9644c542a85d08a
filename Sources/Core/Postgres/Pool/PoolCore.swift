import Logging

/// All state of the pool and every decision about it. Only the reactor's thread enters.
///
/// Each turn: take the requests, give statements to connections, send, wait for the sockets, read answers, look at the
/// clock. `Reactor` calls in this order.
final class PoolCore {
    let configuration: PostgresConfiguration
    let resolver: Resolver
    var lanes: [Lane]
    var gate = ConnectGate()
    var listener: Listener
    var isShuttingDown = false
    /// Connections that broke while they were written to, until the turn can deal with them.
    var lostWhileSending: [Connection] = []
    let gauges: PoolGauges
    let logger: Logger

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
}
