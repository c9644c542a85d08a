import Logging
import Postgres
import ServiceLifecycle
import Synchronization

/// Says in all instances that something changed, so that readers of the feed need not wait for their next look.
///
/// A hint and no more: one NOTIFY for a burst, in a transaction of its own after the commits that it tells of, because
/// NOTIFY takes a lock of the whole cluster until its own commit. If it is lost, readers look again by themselves.
final class ChangeSignal: Service {
    static let channel = "changes"
    /// What comes within this time of another shares its NOTIFY.
    static let burst = Duration.milliseconds(10)

    private struct Waiting {
        var next: UInt64 = 0
        var continuations: [UInt64: CheckedContinuation<Void, Never>] = [:]
        /// How often the signal was given.
        var count: UInt64 = 0
    }

    private let postgres: PostgresClient
    private let logger: Logger
    private let waiting = Mutex(Waiting())
    private let announced: AsyncStream<Void>
    private let announce: AsyncStream<Void>.Continuation

    init(postgres: PostgresClient, logger: Logger) {
        self.postgres = postgres
        self.logger = logger
        (announced, announce) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Has all instances told, soon. Never blocks, and is to be called after the commit.
    func give() { announce.yield() }

    /// How often the signal has come so far, to be passed to ``wait(beyond:atMost:)``.
    var count: UInt64 { waiting.withLock { $0.count } }

    /// Waits until the signal has come more often than `count`, or the time is over, or the task is cancelled.
    func wait(beyond count: UInt64, atMost time: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await Task.sleep(for: time) }
            group.addTask { await self.next(beyond: count) }
            await group.next()
            group.cancelAll()
        }
    }

    private func next(beyond count: UInt64) async {
        let ticket = waiting.withLock { waiting in
            waiting.next += 1
            return waiting.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = waiting.withLock { waiting in
                    if waiting.count > count || Task.isCancelled { return true }
                    waiting.continuations[ticket] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            waiting.withLock { $0.continuations.removeValue(forKey: ticket) }?.resume()
        }
    }

    private func came() {
        let all = waiting.withLock { waiting in
            waiting.count += 1
            defer { waiting.continuations = [:] }
            return waiting.continuations
        }
        for continuation in all.values { continuation.resume() }
    }

    /// Listens, and sends what was announced, until graceful shutdown.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.listen() }
                group.addTask { await self.send() }
                await group.waitForAll()
            }
        }
    }

    private func listen() async {
        // Also when listening begins again: what came meanwhile was not heard.
        for await _ in postgres.notifications(on: Self.channel) { came() }
    }

    private func send() async {
        for await _ in announced {
            try? await Task.sleep(for: Self.burst)
            do {
                _ = try await postgres.write("select pg_notify(\(Self.channel), '')")
            } catch {
                logger.debug("A change could not be announced", metadata: ["error": "\(error)"])
            }
        }
    }
}
