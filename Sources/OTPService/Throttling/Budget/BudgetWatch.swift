import Logging
import Metrics
import ServiceLifecycle

/// Keeps `otp_budget_used_ratio` current and warns once a day, when four fifths of the budget are used.
package struct BudgetWatch: Service {
    let store: BudgetStore
    let limit: Int
    let logger: Logger
    /// Between two looks.
    var pause = Duration.seconds(10)

    /// Looks every now and then until it is told to stop.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var warned: String?
            while !Task.isCancelled {
                do {
                    let view = try await store.view()
                    let ratio = record(view)
                    if ratio >= 0.8, warned != view.day {
                        warned = view.day
                        logger.warning(
                            "the daily budget of messages is nearly used up",
                            metadata: ["used": "\(view.used)", "limit": "\(limit)"])
                        try await store.purge()
                    }
                } catch {
                    logger.debug("budget not measured", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: pause)
            }
        }
    }

    /// Tells the metric and returns the share that is used.
    @discardableResult
    func record(_ view: BudgetView) -> Double {
        let ratio = Double(view.used) / Double(max(1, limit))
        Gauge(label: "otp_budget_used_ratio").record(ratio)
        return ratio
    }
}
