package import Logging
import Metrics
import Postgres
import ServiceLifecycle
import Synchronization

/// Takes reports from the webhook at once and writes them in batches, so that a burst of a thousand a second costs a few
/// statements and no report waits for the database.
///
/// What is in it when the process dies is lost, and so is what does not fit: a report only improves what is shown of a
/// message. While the database is away reports wait here.
package final class ReportInbox: Service, Sendable {
    private struct State {
        var pending: [DeliveryReport] = []
        var stopping = false
    }

    private let store: ReportStore
    private let logger: Logger
    private let capacity: Int
    private let bell = Bell()
    private let state = Mutex(State())
    private let largestBatch = 500

    /// An inbox for so many reports.
    package init(store: ReportStore, logger: Logger, capacity: Int = 20_000) {
        self.store = store
        self.logger = logger
        self.capacity = capacity
    }

    /// Never blocks and never fails.
    package func add(_ reports: [DeliveryReport]) {
        let lost = state.withLock { state in
            let fits = min(reports.count, max(0, capacity - state.pending.count))
            state.pending.append(contentsOf: reports.prefix(fits))
            return reports.count - fits
        }
        Self.count("overflow", lost)
        bell.ring()
    }

    /// Counts what came of reports: `applied`, `repeated`, `unknown`, `unusable`, `unreadable`, `overflow`.
    static func count(_ outcome: String, _ number: Int) {
        guard number > 0 else { return }
        Counter(label: "otp_delivery_reports_total", dimensions: [("outcome", outcome)]).increment(by: number)
    }

    /// Writes until graceful shutdown, and then the rest, if the database takes it.
    package func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            for await _ in bell.rings {
                // Others come at about the same time, and nobody waits.
                try? await Task.sleep(for: .milliseconds(20))
                await flush()
            }
            await flush()
        } onCancelOrGracefulShutdown: {
            self.state.withLock { $0.stopping = true }
            self.bell.finish()
        }
    }

    private func flush() async {
        while true {
            let batch = state.withLock { state in
                let batch = Array(state.pending.prefix(largestBatch))
                state.pending.removeFirst(batch.count)
                return batch
            }
            if batch.isEmpty { return }
            do {
                let (known, changed) = try await store.apply(batch)
                Self.count("applied", changed)
                Self.count("repeated", known - changed)
                Self.count("unknown", batch.count - known)
            } catch {
                logger.warning(
                    "delivery reports wait for the database",
                    metadata: ["count": "\(batch.count)", "error": "\(error)"])
                let stopping = state.withLock { state in
                    if !state.stopping { state.pending.insert(contentsOf: batch, at: 0) }
                    return state.stopping
                }
                if stopping || Task.isCancelled { return }
                try? await Task.sleep(for: .milliseconds(500))
            }
        }
    }
}
