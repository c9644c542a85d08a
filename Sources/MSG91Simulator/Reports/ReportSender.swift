internal import HTTPClient
internal import Logging
internal import ServiceLifecycle
internal import Synchronization

/// Delivers reports to the webhook, with MSG91's retries and its habit of pausing a failing webhook.
struct ReportSender: Service {
    private let gateway: Gateway
    private let client: HTTPClient
    private let logger: Logger
    private let tally = Tally()

    init(gateway: Gateway, client: HTTPClient, logger: Logger) {
        self.gateway = gateway
        self.client = client
        self.logger = logger
    }

    /// Counts of reports that are over, delivered or finally failed.
    private final class Tally: Sendable {
        private let counts = Mutex((total: 0, failed: 0))

        /// True when this one makes MSG91 pause the webhook: more than 2 % of at least 10 finally failed.
        func add(failed: Bool) -> Bool {
            counts.withLock { counts in
                counts.total += 1
                counts.failed += failed ? 1 : 0
                return counts.total >= 10 && counts.failed * 50 > counts.total
            }
        }

        func reset() {
            counts.withLock { $0 = (0, 0) }
        }
    }

    /// Runs until graceful shutdown; reports still under way are dropped then.
    func run() async throws {
        await withDiscardingTaskGroup { group in
            var held: DeliveryReport?
            for await report in gateway.reports.cancelOnGracefulShutdown() {
                let reporting = gateway.reporting()
                guard reporting.isConfigured else { continue }
                var due = reporting.interim ? [report.interim, report] : [report]
                if reporting.reorder, reporting.interim {
                    // The two of one message change places.
                    due.reverse()
                } else if reporting.reorder {
                    guard let first = held else {
                        held = report
                        continue
                    }
                    due.append(first)
                    held = nil
                }
                // The two reports of one message keep their order; others do not wait for each other.
                for reports in reporting.interim ? [due] : due.map({ [$0] }) {
                    group.addTask {
                        for report in reports {
                            await send(report, reporting)
                            if reporting.duplicate { await send(report, reporting) }
                        }
                    }
                }
            }
            group.cancelAll()
        }
    }

    private func send(_ report: DeliveryReport, _ reporting: Reporting) async {
        guard let url = reporting.url else { return }
        let (contentType, body) = report.encoded(reporting)
        let request = HTTPClientRequest(
            method: "POST", url: url, headers: [("Content-Type", contentType)], body: body)
        let scale = min(max(reporting.timeScale, 0), 1)
        guard (try? await Task.sleep(for: .milliseconds(max(0, reporting.delay)))) != nil else { return }
        for wait in [30.0, 60, 300, 900, 1800, nil] {
            if Task.isCancelled { return }
            let response = try? await client.send(request, timeout: .seconds(10))
            if let response, (200..<300).contains(response.status) {
                _ = tally.add(failed: false)
                return
            }
            guard let wait, (try? await Task.sleep(for: .seconds(wait * scale))) != nil else { break }
        }
        if Task.isCancelled { return }
        if tally.add(failed: true) {
            logger.warning("webhook paused: more than 2 % of its reports finally failed")
            tally.reset()
            gateway.pauseReporting()
        }
    }
}
