import HTTPServer
import HTTPTypes
import Hummingbird

/// `GET /`: the figures of the last 7, 30 or 90 days.
struct DashboardPage: Sendable {
    let frame: PageFrame
    let read: ReadDashboard
    let patience: Duration

    func add(to routes: ConsoleRoutes) {
        routes.page("/") { request, context in
            let view = DashboardView(
                try await read(
                    days: try Self.days(request), refresh: Freshness.isBypassed(by: request), trace: context.trace),
                patience: patience)
            return try frame.page("dashboard", title: "Dashboard", section: .dashboard, view, request, context)
        }
    }

    static func days(_ request: Request) throws(Problem) -> Int {
        try request.query.parsed("days", "7, 30 or 90") { text in
            DashboardView.choices.first { String($0) == text }
        } ?? 30
    }
}
