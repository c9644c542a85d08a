import Logging
import Metrics
import ServiceLifecycle

/// Keeps `otp_budget_used_ratio` current, and tells the log once a day when four fifths of the budget are used, and when all is.
package struct BudgetWatch: Service {
    let store: BudgetStore
    let limit: Int
    let logger: Logger
    /// Between two looks.
    var pause = Duration.seconds(10)

    /// What the log was told of a day.
    private struct Day {
        let name: String
        var isWarnedOf = false
        var isUsedUp = false
    }

    /// Looks every now and then until it is told to stop.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var today: Day?
            while !Task.isCancelled {
                do {
                    let view = try await store.view()
                    record(view)
                    let isNew = today?.name != view.day
                    var day = isNew ? Day(name: view.day) : today ?? Day(name: view.day)
                    tell(view, &day)
                    today = day
                    if isNew { try await store.purge() }
                } catch {
                    logger.debug("budget not measured", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: pause)
            }
        }
    }

    private func tell(_ view: BudgetView, _ day: inout Day) {
        let metadata: Logger.Metadata = ["used": "\(view.used)", "limit": "\(limit)"]
        if view.used >= limit, !day.isUsedUp {
            day.isUsedUp = true
            logger.error(
                "the daily budget of messages is used up: no code is sent before midnight UTC", metadata: metadata)
        } else if ratio(view) >= 0.8, !day.isWarnedOf, !day.isUsedUp {
            day.isWarnedOf = true
            logger.warning("the daily budget of messages is nearly used up", metadata: metadata)
        }
    }

    private func ratio(_ view: BudgetView) -> Double { Double(view.used) / Double(max(1, limit)) }

    private func record(_ view: BudgetView) { Gauge(label: "otp_budget_used_ratio").record(ratio(view)) }
}
