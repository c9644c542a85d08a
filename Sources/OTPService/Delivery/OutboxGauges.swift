import Logging
import Metrics
import ServiceLifecycle

/// Keeps `outbox_depth` and `outbox_oldest_seconds` current, every ten seconds.
package struct OutboxGauges: Service {
    let outbox: Outbox
    let logger: Logger

    /// Measures until it is told to stop.
    package func run() async throws {
        let depth = Gauge(label: "outbox_depth")
        let oldest = Gauge(label: "outbox_oldest_seconds")
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    let now = try await outbox.depth()
                    depth.record(now.count)
                    oldest.record(now.oldestSeconds)
                } catch {
                    logger.debug("outbox not measured", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: .seconds(10))
            }
        }
    }
}
