import HTTPTypes
import Metrics
import Synchronization

/// Counts and times requests by route template, method and status.
///
/// The handles are made once: looking a metric up by its labels for every request would cost more than routing it.
struct RequestMetrics: Sendable {
    private let routes: [String: [MethodMetrics]]
    private let unmatched = MethodMetrics(method: "any", route: RequestMetrics.unmatchedRoute)

    static let unmatchedRoute = "unmatched"

    init(routes: [(route: String, method: HTTPRequest.Method)]) {
        var byRoute: [String: [MethodMetrics]] = [:]
        for (route, method) in routes {
            byRoute[route, default: []].append(MethodMetrics(method: method.rawValue, route: route))
        }
        self.routes = byRoute
    }

    func record(route: String, method: String, status: Int, duration: Duration) {
        let metrics = routes[route]?.first { $0.method == method } ?? unmatched
        metrics.record(status: status, duration: duration)
    }
}

private final class MethodMetrics: Sendable {
    let method: String
    private let route: String
    private let timer: Timer
    /// By status; there are few.
    private let counters = Mutex<[(status: Int, counter: Counter)]>([])

    init(method: String, route: String) {
        self.method = method
        self.route = route
        timer = Timer(label: "http_request_duration_seconds", dimensions: [("method", method), ("route", route)])
    }

    func record(status: Int, duration: Duration) {
        let (seconds, attoseconds) = duration.components
        timer.recordNanoseconds(seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000)
        let counter = counters.withLock { counters in
            if let known = counters.first(where: { $0.status == status }) { return known.counter }
            let counter = Counter(
                label: "http_requests_total",
                dimensions: [("method", method), ("route", route), ("status", String(status))])
            counters.append((status, counter))
            return counter
        }
        counter.increment()
    }
}
