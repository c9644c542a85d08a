import Caching
import Identity

/// The dashboard as its template wants it.
struct DashboardView: Sendable {
    struct Range: Sendable {
        let days: Int
        let title: String
        let isCurrent: Bool
    }

    struct Tile: Sendable {
        let label: String
        let value: String
        let detail: String
        let spark: Sparkline?
        var tone = ""
    }

    /// One of the services, and whether its figures are there.
    struct Health: Sendable {
        let name: String
        /// `good`, `warning` or `bad`.
        let tone: String
        let state: String
        let asOf: Wording.Moment?
    }

    let days: Int
    let ranges: [Range]
    let health: [Health]
    let missing: [String]
    let tiles: [Tile]
    let alerts: [Notice]
    let charts: [ChartView]
    let breakdowns: [Breakdown]

    static let choices = [7, 30, 90]

    /// - Parameter patience: older figures that could not be read anew mean that their service is away.
    init(_ dashboard: Dashboard, patience: Duration) {
        days = dashboard.days
        ranges = Self.choices.map { Range(days: $0, title: "\($0) days", isCurrent: $0 == dashboard.days) }
        health = [
            Self.health(.user, dashboard.health, dashboard.users, \.asOf, patience),
            Self.health(.otp, dashboard.health, dashboard.messages, \.asOf, patience),
            Health(name: ServiceName.admin.rawValue, tone: "good", state: "answering", asOf: nil),
        ]
        missing = dashboard.missing.map(Self.missing)
        let users = dashboard.users?.value
        let messages = dashboard.messages?.value
        let sending = dashboard.sending?.value
        alerts = Self.alerts(sending)
        tiles =
            (users.map { Self.tiles($0) } ?? []) + (messages.map { Self.tiles($0) } ?? [])
            + Self.tiles(sending, medianSeconds: messages?.medianSecondsToVerify)
        breakdowns = Self.breakdowns(dashboard)
        charts = (users.map { Self.charts($0) } ?? []) + (messages.map { Self.charts($0) } ?? [])
    }

    private static func health<Value>(
        _ service: ServiceName, _ health: ServicesHealth?, _ part: CachedValue<Value>?,
        _ asOf: KeyPath<Value, WireTime>, _ patience: Duration
    ) -> Health {
        let moment = part.map { Wording.moment($0.value[keyPath: asOf]) }
        let age = part.flatMap { $0.isStale && $0.age > patience ? Wording.seconds($0.age / .seconds(1)) : nil }
        let figures = age.map { ", figures \($0) old" } ?? ""
        let (tone, state) =
            switch health?.services.first(where: { $0.name == service.rawValue })?.state {
            case .away?: ("bad", "no answer")
            case .unready?: ("warning", "cannot work at the moment")
            case .ready?, nil: part == nil || age != nil ? ("bad", "no answer") : ("good", "answering")
            }
        return Health(name: service.rawValue, tone: tone, state: state + figures, asOf: moment)
    }

    private static func missing(_ service: ServiceName) -> String {
        switch service {
        case .user: "user-service gives no answer: users, new users and sign-ins are missing."
        case .otp: "otp-service gives no answer: codes, deliveries and the queue are missing."
        case .admin: "admin-service gives no answer."
        }
    }
}

extension DashboardView {
    static func tiles(_ users: UserStatistics) -> [Tile] {
        let new = users.new.map { Double($0.count) }
        let signIns = users.signIns.map { Double($0.count) }
        return [
            Tile(
                label: "Users", value: Wording.number(users.total),
                detail: "\(Wording.number(users.active)) active, \(Wording.number(users.suspended)) suspended",
                spark: nil),
            Tile(
                label: "New users", value: Wording.number(sum(users.new)), detail: today(users.new),
                spark: Sparkline(new)),
            Tile(
                label: "Sign-ins", value: Wording.number(sum(users.signIns)), detail: today(users.signIns),
                spark: Sparkline(signIns)),
        ] + (active(users).map { [$0] } ?? [])
    }

    private static func active(_ users: UserStatistics) -> Tile? {
        guard let month = users.activeThisMonth else { return nil }
        let shorter = [
            users.activeThisWeek.map { "\(Wording.number($0)) this week" },
            users.activeToday.map { "\(Wording.number($0)) today" },
        ]
        return Tile(
            label: "Active this month", value: Wording.number(month),
            detail: shorter.compactMap(\.self).joined(separator: ", "),
            spark: users.activeByDay.flatMap { Sparkline($0.map { Double($0.count) }) })
    }

    static func tiles(_ messages: MessageStatistics) -> [Tile] {
        let sent = messages.total(\.sent)
        let failed = messages.total(\.failed)
        let waits = (messages.outboxOldestSeconds ?? 0) > 60
        return [
            Tile(
                label: "Codes sent", value: Wording.number(sent),
                detail: "\(Wording.percent(messages.total(\.delivered), of: sent)) delivered",
                spark: Sparkline(messages.days.map { Double($0.sent) })),
            Tile(
                label: "Conversion", value: messages.conversion.map(Wording.percent) ?? "–",
                detail: "\(Wording.number(messages.total(\.verified))) codes verified",
                spark: Sparkline(messages.days.map { Double($0.verified) })),
            Tile(
                label: "Failed", value: Wording.number(failed),
                detail: "\(Wording.percent(failed, of: sent)) of the codes",
                spark: Sparkline(messages.days.map { Double($0.failed) }),
                tone: failed * 10 > sent && sent > 0 ? "bad" : ""),
            Tile(
                label: "Queue", value: Wording.number(messages.outboxDepth),
                detail: messages.outboxDepth > 0
                    ? "oldest waits \(Wording.seconds(messages.outboxOldestSeconds ?? 0))" : "nothing waits",
                spark: nil, tone: waits ? "warning" : ""),
        ]
    }

    private static func charts(_ users: UserStatistics) -> [ChartView] {
        [
            ChartView(
                DayChart(
                    id: "sign-ins", title: "Sign-ins and new users",
                    summary:
                        "\(Wording.number(sum(users.signIns))) sign-ins and \(Wording.number(sum(users.new))) new users.",
                    days: users.signIns.map(\.day),
                    series: [
                        DayChart.Series(name: "Sign-ins", style: "a", values: users.signIns.map { Double($0.count) }),
                        DayChart.Series(name: "New users", style: "b", values: users.new.map { Double($0.count) }),
                    ]
                        + (users.activeByDay.map { days in
                            [DayChart.Series(name: "Active users", style: "c", values: days.map { Double($0.count) })]
                        } ?? [])))
        ]
    }

    private static func charts(_ messages: MessageStatistics) -> [ChartView] {
        let days = messages.days.map(\.day)
        func series(_ name: String, _ style: String, _ figure: (MessageStatistics.Day) -> Int) -> DayChart.Series {
            DayChart.Series(name: name, style: style, values: messages.days.map { Double(figure($0)) })
        }
        return [
            ChartView(
                DayChart(
                    id: "codes", title: "Codes",
                    summary: "\(Wording.number(messages.total(\.sent))) codes sent.", days: days,
                    series: [
                        series("Sent", "a", \.sent), series("Delivered", "c", \.delivered),
                        series("Verified", "b", \.verified),
                    ])),
            ChartView(
                DayChart(
                    id: "conversion", title: "Conversion",
                    summary: "Of all codes sent, \(messages.conversion.map(Wording.percent) ?? "none") were verified.",
                    days: days,
                    series: [
                        DayChart.Series(
                            name: "Verified of sent", style: "b",
                            values: messages.days.map { $0.sent > 0 ? Double($0.verified) / Double($0.sent) : 0 })
                    ], unit: .percent)),
            ChartView(
                DayChart(
                    id: "failures", title: "Failures",
                    summary: "\(Wording.number(messages.total(\.failed))) codes failed.", days: days,
                    series: [series("Failed", "d", \.failed)], form: .bars)),
        ]
    }

    private static func sum(_ days: [DayCount]) -> Int {
        days.reduce(0) { sum, day in
            let (result, overflow) = sum.addingReportingOverflow(day.count)
            return overflow ? .max : result
        }
    }

    private static func today(_ days: [DayCount]) -> String {
        days.last.map { "\(Wording.number($0.count)) today" } ?? "none yet"
    }
}
