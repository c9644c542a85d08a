import Caching
import Identity

/// The dashboard as its template wants it.
struct DashboardView: Sendable {
    struct Tile: Sendable {
        let label: String
        let value: String
        let detail: String
        let spark: Sparkline?
        var tone = ""
    }

    /// One of the services, and whether its figures are there.
    struct Health: Sendable, Hashable {
        let name: String
        /// `good`, `warning` or `bad`.
        let tone: String
        let state: String
        let asOf: Wording.Moment?
    }

    let health: [Health]
    let missing: [String]
    let tiles: [Tile]
    let alerts: [Notice]
    let charts: [ChartView]
    let breakdowns: [Breakdown]

    /// - Parameter health: as ``health(_:_:)`` says.
    init(_ dashboard: Dashboard, health: [Health]) {
        self.health = health
        missing = dashboard.missing.map(Self.missing)
        let users = dashboard.users?.value
        let messages = dashboard.messages?.value
        let sending = dashboard.sending?.value
        alerts = Self.alerts(health) + Self.alerts(sending)
        tiles =
            (users.map { Self.tiles($0) } ?? []) + (messages.map { Self.tiles($0) } ?? [])
            + Self.tiles(sending, messages)
        breakdowns = Self.breakdowns(dashboard)
        charts = (users.map { Self.charts($0) } ?? []) + (messages.map { Self.charts($0) } ?? [])
    }

    /// How the services are, judged by their answers and by the age of their figures.
    static func health(_ dashboard: Dashboard, _ patience: Duration) -> [Health] {
        [
            health(.user, dashboard.health, dashboard.users, \.asOf, patience),
            health(.otp, dashboard.health, dashboard.messages, \.asOf, patience),
            Health(name: ServiceName.admin.rawValue, tone: "good", state: "answering", asOf: nil),
        ]
    }

    private static func health<Value>(
        _ service: ServiceName, _ health: ServicesHealth?, _ part: CachedValue<Value>?,
        _ asOf: KeyPath<Value, WireTime>, _ patience: Duration
    ) -> Health {
        let moment = part.map { Wording.moment($0.value[keyPath: asOf]) }
        let age = part.flatMap { $0.isStale && $0.age > patience ? Wording.seconds($0.age / .seconds(1)) : nil }
        let figures = age.map { ", figures \($0) old" } ?? ""
        let answer = health?.services.first { $0.name == service.rawValue }
        let (tone, state) =
            switch answer?.state {
            case .away?: ("bad", "no answer")
            case .unready?: ("warning", "cannot work at the moment")
            case .ready?, nil:
                if part == nil || age != nil {
                    ("bad", "no answer")
                } else {
                    answer?.isSlow == true ? ("warning", "answers slowly") : ("good", "answering")
                }
            }
        return Health(name: service.rawValue, tone: tone, state: state + figures, asOf: moment)
    }

    /// What the absence of a service means for people, before any figure that is still there.
    private static func alerts(_ health: [Health]) -> [Notice] {
        health.filter { $0.tone == "bad" }.compactMap { service -> Notice? in
            switch service.name {
            case ServiceName.user.rawValue: .bad("user-service gives no answer: nobody can sign in.")
            case ServiceName.otp.rawValue: .bad("otp-service gives no answer: no code is sent or checked.")
            default: nil
            }
        }
    }

    private static func missing(_ service: ServiceName) -> String {
        switch service {
        case .user: "Nothing is remembered of user-service: users, new users and sign-ins are missing."
        case .otp: "Nothing is remembered of otp-service: codes, deliveries and the queue are missing."
        case .admin: "admin-service gives no answer."
        }
    }
}
