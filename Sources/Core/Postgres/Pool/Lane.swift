import DequeModule

/// The queue and the connections of one lane. Belongs to the reactor's thread.
struct Lane {
    let kind: LaneKind
    let limit: Int
    var connections: [Connection] = []
    var queue: Deque<Statement> = []
    var checkouts: Deque<Lease> = []

    init(kind: LaneKind, limit: Int) {
        self.kind = kind
        self.limit = limit
    }

    /// The connection for the next statement: the one with the fewest unanswered, if it may hold one more.
    var leastLoaded: Connection? {
        var best: Connection?
        for connection in connections where connection.isReady && connection.load < kind.depth {
            if best.map({ connection.load < $0.load }) ?? true { best = connection }
        }
        return best
    }

    /// A connection that no transaction owns.
    var free: Connection? { connections.first { $0.isReady && $0.lease == nil && $0.isIdle } }

    var hasLiveConnection: Bool { connections.contains { $0.phase == .ready || $0.phase == .retiring } }

    /// How many more connections the waiting work could use.
    var shortage: Int {
        let waiting: Int
        switch kind {
        case .reads:
            // Reads pipeline: one connection is enough until they wait, then another helps.
            waiting = queue.isEmpty ? 0 : 1
        case .writes: waiting = queue.count
        case .transactions: waiting = checkouts.count
        case .notifications: waiting = 0
        }
        let opening = connections.count { $0.phase == .connecting }
        let wanted = max(waiting, connections.isEmpty ? 1 : 0) - opening
        return max(0, min(wanted, limit - connections.count))
    }
}
