import HTTPServer
import HTTPTypes
import Hummingbird

/// `GET /`: the figures of the last 7, 30 or 90 days.
struct DashboardPage: Sendable {
    let frame: PageFrame
    let read: ReadDashboard
    let part: DashboardPart

    static let choices = [7, 30, 90]

    struct Range: Sendable {
        let days: Int
        let title: String
        let isCurrent: Bool
    }

    struct View: Sendable {
        let days: Int
        let ranges: [Range]
        /// The part that changes, as HTML.
        let live: String
    }

    func add(to routes: ConsoleRoutes) {
        routes.page("/") { request, context in
            let days = try Self.days(request)
            let dashboard = try await read(
                days: days, refresh: Freshness.isBypassed(by: request), trace: context.trace)
            let ranges = Self.choices.map { Range(days: $0, title: "\($0) days", isCurrent: $0 == days) }
            let view = View(days: days, ranges: ranges, live: try part.html(dashboard))
            return try frame.page("dashboard", title: "Dashboard", section: .dashboard, view, request, context)
        }
    }

    static func days(_ request: Request) throws(Problem) -> Int {
        try request.query.parsed("days", "7, 30 or 90") { text in
            choices.first { String($0) == text }
        } ?? 30
    }
}
