import Logging
import Postgres
import Synchronization

/// Writes reports in batches: what comes in while one statement runs is in the next.
final class ReportWriter: Sendable {
    private struct Entry {
        let message: Message
        let report: MessageReport
        let added = ContinuousClock.now
    }

    private struct State {
        var pending: [Entry] = []
        var finished = false
    }

    private let outbox: Outbox
    private let logger: Logger
    private let bell = Bell()
    private let state = Mutex(State())
    /// More would make one statement hold its row locks for long.
    private let largestBatch = 500

    init(outbox: Outbox, logger: Logger) {
        self.outbox = outbox
        self.logger = logger
    }

    func add(_ message: Message, _ report: MessageReport) {
        state.withLock { $0.pending.append(Entry(message: message, report: report)) }
        bell.ring()
    }

    /// No more reports come; ``run()`` returns when all are written.
    func finish() {
        state.withLock { $0.finished = true }
        bell.finish()
    }

    /// Returns after ``finish()``. While the database is away reports wait; one that cannot be written before its lease passes
    /// is worth nothing any more, because the message is then sent again.
    func run() async {
        for await _ in bell.rings {
            // Others finish at about the same time, and nobody waits for a report.
            try? await Task.sleep(for: .milliseconds(5))
            await flush()
        }
        await flush()
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
                try await outbox.report(batch.map { ($0.message, $0.report) })
            } catch {
                guard await putBack(batch, after: error) else { return }
            }
        }
    }

    /// False when there is no more time to wait for the database.
    private func putBack(_ batch: [Entry], after error: PostgresError) async -> Bool {
        logger.warning("reports wait for the database", metadata: ["count": "\(batch.count)", "error": "\(error)"])
        let deadline = ContinuousClock.now - .seconds(outbox.leaseSeconds)
        let stopping = state.withLock { state in
            if !state.finished { state.pending.insert(contentsOf: batch.filter { $0.added > deadline }, at: 0) }
            return state.finished
        }
        if stopping || Task.isCancelled { return false }
        try? await Task.sleep(for: .milliseconds(500))
        return true
    }
}
