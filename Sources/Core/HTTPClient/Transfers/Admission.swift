/// Which transfers may run now, as a pure state machine.
///
/// A transfer is one connection (HTTP/1.1), so limits on running transfers are limits on connections. The rest wait in
/// the order they came, hosts taking turns, so that one slow host does not hold up the others.
struct Admission {
    typealias TransferID = UInt64

    private struct Host {
        var running = 0
        var waiting: [TransferID] = []
    }

    private let perHost: Int
    private let inTotal: Int
    private var running = 0
    private var hosts: [RequestTarget: Host] = [:]
    /// Hosts with waiting transfers, the next to be served first; each once.
    private var turns: [RequestTarget] = []

    init(perHost: Int, inTotal: Int) {
        self.perHost = perHost
        self.inTotal = inTotal
    }

    /// Whether the transfer may start at once; if not, it waits.
    mutating func admit(_ id: TransferID, to target: RequestTarget) -> Bool {
        var host = hosts[target] ?? Host()
        defer { hosts[target] = host }
        if running < inTotal, host.running < perHost, host.waiting.isEmpty {
            running += 1
            host.running += 1
            return true
        }
        if host.waiting.isEmpty { turns.append(target) }
        host.waiting.append(id)
        return false
    }

    /// A running transfer ended: the waiting ones that may start in its place.
    mutating func finish(_ target: RequestTarget) -> [TransferID] {
        running -= 1
        hosts[target]?.running -= 1
        forgetIfIdle(target)
        return next()
    }

    /// A waiting transfer gave up.
    mutating func withdraw(_ id: TransferID, from target: RequestTarget) {
        hosts[target]?.waiting.removeAll { $0 == id }
        if hosts[target]?.waiting.isEmpty ?? true { turns.removeAll { $0 == target } }
        forgetIfIdle(target)
    }

    private mutating func next() -> [TransferID] {
        var started: [TransferID] = []
        var index = turns.startIndex
        while running < inTotal, index < turns.endIndex {
            let target = turns[index]
            guard var host = hosts[target], host.running < perHost, !host.waiting.isEmpty else {
                index += 1
                continue
            }
            started.append(host.waiting.removeFirst())
            running += 1
            host.running += 1
            hosts[target] = host
            turns.remove(at: index)
            if !host.waiting.isEmpty { turns.append(target) }
        }
        return started
    }

    private mutating func forgetIfIdle(_ target: RequestTarget) {
        if let host = hosts[target], host.running <= 0, host.waiting.isEmpty { hosts[target] = nil }
    }
}
