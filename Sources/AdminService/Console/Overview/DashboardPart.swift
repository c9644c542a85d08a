import Caching
import Synchronization

/// The changing part of the dashboard, rendered once for the figures it shows and not once for everybody who looks.
final class DashboardPart: Sendable {
    /// What the part is made from: when each of its figures was read, and how the services are.
    private struct Figures: Hashable {
        let users: ContinuousClock.Instant?
        let messages: ContinuousClock.Instant?
        let sending: ContinuousClock.Instant?
        let destinations: WireTime?
        let health: [DashboardView.Health]

        init(_ dashboard: Dashboard, _ health: [DashboardView.Health]) {
            users = dashboard.users?.storedAt
            messages = dashboard.messages?.storedAt
            sending = dashboard.sending?.storedAt
            destinations = dashboard.destinations?.asOf
            self.health = health
        }
    }

    private let frame: PageFrame
    private let patience: Duration
    /// By the days shown; there are three choices of them.
    private let latest = Mutex<[Int: (figures: Figures, html: String)]>([:])

    /// - Parameter patience: older figures that could not be read anew mean that their service is away.
    init(frame: PageFrame, patience: Duration) {
        self.frame = frame
        self.patience = patience
    }

    /// The part as HTML. Throws if its template is missing.
    func html(_ dashboard: Dashboard) throws -> String {
        let health = DashboardView.health(dashboard, patience)
        let figures = Figures(dashboard, health)
        if let known = latest.withLock({ $0[dashboard.days] }), known.figures == figures { return known.html }
        let html = try frame.part("dashboard-live", DashboardView(dashboard, health: health))
        latest.withLock { $0[dashboard.days] = (figures, html) }
        return html
    }
}
