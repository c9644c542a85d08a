import Logging
import Postgres
import ServiceLifecycle
import Synchronization

/// Drops from this instance's caches what other instances changed: at the hint, and twice a second without one.
final class FollowAdminChanges: Service {
    private let store: AdminChangeStore
    private let caches: AdminCaches
    private let logger: Logger
    private let interval: Duration
    private let place = Mutex<(text: String?, readAt: ContinuousClock.Instant)>((nil, .now))

    init(store: AdminChangeStore, caches: AdminCaches, logger: Logger, interval: Duration = .milliseconds(500)) {
        self.store = store
        self.caches = caches
        self.logger = logger
        self.interval = interval
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for await _ in self.store.postgres.notifications(on: AdminChangeStore.channel) {
                        await self.tryToCatchUp()
                    }
                }
                group.addTask {
                    var rounds = 0
                    while !Task.isCancelled {
                        await self.tryToCatchUp()
                        rounds += 1
                        if rounds % 1200 == 0 { try? await self.store.forget() }
                        try? await Task.sleep(for: self.interval)
                    }
                }
            }
        }
    }

    private func tryToCatchUp() async {
        do {
            try await catchUp()
        } catch {
            // The next round reads from the same place; what is shown meanwhile says its age.
            logger.debug("changes of other instances were not read", metadata: ["error": "\(error)"])
        }
    }

    /// Reads what is new and drops it. Throws `PostgresError`.
    func catchUp() async throws {
        let last = place.withLock { $0 }
        let began = ContinuousClock.now
        let (topics, text) = try await store.changes(since: last.text)
        // Rows live an hour: after a longer absence some may be gone.
        let missed = last.text != nil && began - last.readAt > .seconds(3000)
        for topic in missed ? [.all] : Set(topics) { caches.drop(topic) }
        // Two readings at once: the later place may be the earlier one, and rows are read twice. That does no harm.
        place.withLock { $0 = (text, began) }
    }
}
