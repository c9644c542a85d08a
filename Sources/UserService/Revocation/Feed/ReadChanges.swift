import Deadlines
import HTTPServer
import Postgres
import ServiceLifecycle
import Synchronization

/// Reads the feed, and waits for something to read if there is nothing.
final class ReadChanges: Sendable {
    /// How often a waiting reader looks by itself, whatever the signal does.
    static let interval = Duration.milliseconds(250)
    /// How many readers may wait at a time.
    static let maximumWaiting = 64

    private let store: FeedStore
    private let signal: ChangeSignal
    private let waiting = Mutex(0)

    init(store: FeedStore, signal: ChangeSignal) {
        self.store = store
        self.signal = signal
    }

    /// Reads on from a cursor. If nothing has happened it looks again until something has or `wait` is over; without a
    /// cursor it never waits. Returns how long it waited, too. Throws `FeedError`, `PostgresError`.
    func callAsFunction(
        after cursor: FeedCursor?, wait: Duration
    ) async throws -> (page: FeedPage, waited: Duration) {
        let began = ContinuousClock.now
        var count = signal.count
        var page = try await look(cursor)
        var lookedAt = began
        guard page.changes.isEmpty, cursor != nil, !page.isReset, wait > .zero else { return (page, .zero) }
        guard enter() else { throw FeedError.tooManyReaders }
        defer { waiting.withLock { $0 -= 1 } }
        // Measured from the last look's beginning: what it did not see came later.
        while page.changes.isEmpty, !page.isReset {
            let rest = wait - (ContinuousClock.now - began)
            if rest <= .zero || Task.isShuttingDownGracefully { break }
            await pause(beyond: count, atMost: min(rest, Self.interval))
            if Task.isCancelled { break }
            count = signal.count
            lookedAt = .now
            page = try await look(page.cursor)
        }
        return (page, lookedAt - began)
    }

    private func pause(beyond count: UInt64, atMost time: Duration) async {
        await cancelWhenGracefulShutdown { await self.signal.wait(beyond: count, atMost: time) }
    }

    /// Each look has the time of a request, and the waiting between them does not count.
    private func look(_ cursor: FeedCursor?) async throws -> FeedPage {
        try await RequestDeadline.$current.withValue(.now + HTTPServer.requestTime) {
            try await store.page(after: cursor)
        }
    }

    private func enter() -> Bool {
        waiting.withLock { waiting in
            guard waiting < Self.maximumWaiting else { return false }
            waiting += 1
            return true
        }
    }
}

/// Why the feed is not read.
enum FeedError: Error, Hashable {
    /// Too many are waiting already.
    case tooManyReaders
}
