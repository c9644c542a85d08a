import Metrics

/// The pool as metrics see it, by lane: connections, statements under way, statements waiting.
struct PoolGauges: Sendable {
    private let connections: [Gauge]
    private let executing: [Gauge]
    private let waiting: [Gauge]

    init(pool: String) {
        func gauges(_ label: String) -> [Gauge] {
            LaneKind.allCases.map { Gauge(label: label, dimensions: [("pool", pool), ("lane", "\($0)")]) }
        }
        connections = gauges("postgres_pool_connections")
        executing = gauges("postgres_pool_executing")
        waiting = gauges("postgres_pool_waiting")
    }

    func update(from lanes: [Lane]) {
        for (index, lane) in lanes.enumerated() where index < connections.count {
            connections[index].record(lane.connections.count { $0.isReady })
            executing[index].record(lane.connections.reduce(0) { $0 + $1.load })
            waiting[index].record(lane.queue.count + lane.checkouts.count)
        }
    }
}
