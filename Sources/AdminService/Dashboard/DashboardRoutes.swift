import HTTPServer
import Hummingbird
import Identity

/// `GET /v1/admin/dashboard`.
struct DashboardRoutes: Sendable {
    let read: ReadDashboard
    let gate: OperatorGate

    func add(to router: PostkeyRouter) {
        router.operators(atLeast: .viewer, gate).get("/v1/admin/dashboard") { request, context in
            let days = try request.query.integer("days", default: 30, in: 1...366)
            let dashboard = try await read(
                days: days, refresh: Freshness.isBypassed(by: request), trace: context.trace)
            guard !dashboard.isEmpty else { throw Problem.upstreamAway(dashboard.missing) }
            return try Response.json(.ok, dashboard, headers: Freshness.headers(age: dashboard.age))
        }
    }
}

extension Problem {
    /// 503 that names the services without which there is nothing to show.
    static func upstreamAway(_ services: [ServiceName]) -> Problem {
        let names = services.map(\.rawValue).joined(separator: " and ")
        return Problem(.serviceUnavailable, detail: "No answer from \(names), and none is remembered.", retryAfter: 5)
    }
}
