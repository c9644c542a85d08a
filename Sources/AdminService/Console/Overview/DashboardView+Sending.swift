import Caching
import Identity

/// What the dashboard says of sending besides figures by day.
extension DashboardView {
    /// What keeps codes from going out, and what to do about it.
    static func alerts(_ sending: SendingState?) -> [Notice] {
        var alerts = [budgetAlert(sending?.budget)].compactMap(\.self)
        if let gateway = sending?.gateway, gateway.state != "closed" {
            let advice = gateway.action ?? "Codes wait until it answers."
            alerts.append(.bad("The gateway takes no messages (\(gateway.reason ?? gateway.state)). \(advice)"))
        }
        return alerts
    }

    /// Why nothing is sent whoever asks.
    static func budgetAlert(_ budget: Budget?) -> Notice? {
        guard let budget else { return nil }
        if budget.paused { return .bad("All sending is paused\(budget.reason.map { ": \($0)" } ?? "").") }
        guard let limit = budget.limit, budget.used >= limit else { return nil }
        return .bad(
            "The budget of today is used up: no code is sent before tomorrow, UTC. A larger SMS_DAILY_BUDGET allows more."
        )
    }

    static func tiles(_ sending: SendingState?, _ messages: MessageStatistics?) -> [Tile] {
        var tiles = [queue(sending?.budget, messages)].compactMap(\.self)
        if let medianSeconds = messages?.medianSecondsToVerify {
            tiles.append(
                Tile(
                    label: "Time to verify", value: Wording.seconds(medianSeconds),
                    detail: "median, from sending to the right code", spark: nil))
        }
        if let budget = sending?.budget {
            let share = budget.limit.map { Wording.percent(budget.used, of: $0) }
            let isNear = budget.limit.map { budget.used >= $0 - $0 / 5 } ?? false
            tiles.append(
                Tile(
                    label: share == nil ? "Messages today" : "Budget today",
                    value: share ?? Wording.number(budget.used),
                    detail: budget.limit.map { "\(Wording.number(budget.used)) of \(Wording.number($0))" }
                        ?? "no daily budget is set", spark: nil,
                    tone: budget.paused ? "bad" : isNear ? "warning" : ""))
        } else {
            tiles.append(
                Tile(
                    label: "Messages today", value: "–", detail: "otp-service gives no answer", spark: nil,
                    tone: "warning"))
        }
        return tiles
    }

    /// What waits at this moment; if otp-service does not say, what waited when it last did, and when that was.
    private static func queue(_ budget: Budget?, _ messages: MessageStatistics?) -> Tile? {
        guard let depth = budget?.outboxDepth ?? messages?.outboxDepth else { return nil }
        let isOld = budget?.outboxDepth == nil
        let oldest = (isOld ? messages?.outboxOldestSeconds : budget?.outboxOldestSeconds) ?? 0
        let waits = depth > 0 ? "oldest waits \(Wording.seconds(oldest))" : "nothing waits"
        let moment = isOld ? messages.map { ", at \(Wording.moment($0.asOf).clock)" } ?? "" : ""
        return Tile(
            label: "Queue", value: Wording.number(depth), detail: waits + moment, spark: nil,
            tone: oldest > 60 || isOld ? "warning" : "")
    }

    static func breakdowns(_ dashboard: Dashboard) -> [Breakdown] {
        var breakdowns: [Breakdown] = []
        if let failures = dashboard.messages?.value.failures {
            breakdowns.append(
                Breakdown(
                    id: "causes", title: "Failures by cause", subject: "Cause", headings: ["Messages"],
                    items: failures.map { (FailureWording.cause($0.reason), $0.count, [Wording.number($0.count)]) },
                    nothing: "No message failed."))
        }
        if let countries = dashboard.countries {
            breakdowns.append(
                Breakdown(
                    id: "countries", title: "Countries", subject: "Country", headings: ["Sent", "Conversion", "State"],
                    items: countries.map { country in
                        (country.country, country.sent, cells(country.sent, country.conversion, country.state))
                    }, nothing: "No code was sent."))
        }
        if let prefixes = dashboard.prefixes {
            breakdowns.append(
                Breakdown(
                    id: "prefixes", title: "Blocks of numbers", subject: "Beginning",
                    headings: ["Sent", "Conversion", "State"],
                    items: prefixes.map { prefix in
                        (prefix.prefix, prefix.sent, cells(prefix.sent, prefix.conversion, prefix.state))
                    }, nothing: "No code was sent.",
                    note: "A block's codes are counted on the days on which it was among the two hundred busiest."))
        }
        return breakdowns
    }

    private static func cells(_ sent: Int, _ conversion: Double?, _ state: String?) -> [String] {
        [
            Wording.number(sent), conversion.map(Wording.percent) ?? "–",
            state.map { DestinationWording.state($0).text } ?? "flowing",
        ]
    }
}
