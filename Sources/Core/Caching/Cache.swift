import Deadlines
import Synchronization

/// An in-process cache with single flight, for values that may be a little old.
///
/// - Bounded and sharded, with S3-FIFO eviction (``EntryTable``); lives and phases by ``CachePolicy``.
/// - A thousand callers that miss together cost one fill. The fill belongs to none of them: a caller that is cancelled
///   or whose request has no time left leaves, the fill goes on. A fill that throws throws for all that wait for it, and is
///   not remembered.
/// - Nothing read before an invalidation is stored after it, or given to a caller who came after it.
///
/// Not for decisions: whether a session is alive is asked of the database, every time.
///
/// The decisions are in ``ShardState``; here are the lock, the tasks and the clock. Continuations are resumed outside
/// the lock.
package final class Cache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private typealias State = ShardState<Key, Value, CheckedContinuation<Outcome, Never>>
    private typealias Outcome = FillOutcome<Value>

    private final class Shard: Sendable {
        let state: Mutex<State>
        init(_ state: State) { self.state = Mutex(state) }
    }

    /// The name in metrics and listings.
    package let name: String
    private let shards: [Shard]
    private let tags: @Sendable (Key, Value) -> Set<CacheTag>
    private let cost: @Sendable (Key, Value) -> Int
    private let now: @Sendable () -> ContinuousClock.Instant
    private let metrics: CacheMetrics

    /// A cache; `tags` names what an entry shows, `cost` weighs it (1 each by default), `now` is for tests.
    package init(
        name: String, policy: CachePolicy,
        tags: @escaping @Sendable (Key, Value) -> Set<CacheTag> = { _, _ in [] },
        cost: @escaping @Sendable (Key, Value) -> Int = { _, _ in 1 },
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.name = name
        self.tags = tags
        self.cost = cost
        self.now = now
        let share = policy.capacity / policy.shards
        shards = (0..<policy.shards).map { _ in Shard(State(policy: policy, capacity: share)) }
        metrics = CacheMetrics(cache: name)
    }

    /// The value of the key, from memory or by `fill`.
    ///
    /// With `refresh`, only what was read after this call began will do. `fill` must end by itself in bounded time;
    /// it runs in a task of its own, without the caller's task-local values. Throws what the fill threw, `CancellationError`
    /// when the calling task was cancelled while waiting, or `FillTimeout` at `RequestDeadline.current`.
    package func value(
        for key: Key, refresh: Bool = false, fill: @escaping @Sendable () async throws -> Value
    ) async throws -> CachedValue<Value> {
        let shard = shard(of: key)
        let now = self.now()
        let (firstTicket, answer) = shard.state.withLock { state in
            let ticket = state.arrive(refresh: refresh)
            return (ticket, state.answer(key, ticket, now: now))
        }
        if case .value(let value, let start) = answer {
            metrics.hit(isStale: value.isStale)
            if let start { run(start, for: key, on: shard, fill) }
            return value
        }
        metrics.missed()
        var ticket = firstTicket
        while true {
            switch await wait(for: key, ticket, on: shard, fill) {
            case .value(let value): return value
            case .failure(let error): throw error
            case .left: throw Task.isCancelled ? CancellationError() as any Error : FillTimeout()
            // What is read from a fill begun after the caller came will do. There is one by now, or it is started, so
            // this happens once.
            case .askAgain: ticket.notBefore = ticket.arrival
            }
        }
    }

    /// Drops the key's entry.
    package func invalidate(_ key: Key) {
        metrics.invalidated(shard(of: key).state.withLock { $0.invalidate(key) })
    }

    /// Drops every entry that carries the tag.
    package func invalidate(tag: CacheTag) {
        for shard in shards { metrics.invalidated(shard.state.withLock { $0.invalidate(tag) }) }
    }

    /// Drops everything.
    package func invalidateAll() {
        for shard in shards { metrics.invalidated(shard.state.withLock { $0.invalidateAll() }) }
        metrics.holds(0)
    }

    /// What the cache has done and holds.
    package var statistics: CacheStatistics {
        shards.reduce(into: CacheStatistics()) { $0 += $1.state.withLock(\.statistics) }
    }

    private func shard(of key: Key) -> Shard {
        shards[Int(UInt(bitPattern: key.hashValue) % UInt(shards.count))]
    }

    private func wait(
        for key: Key, _ ticket: State.Ticket, on shard: Shard, _ fill: @escaping @Sendable () async throws -> Value
    ) async -> Outcome {
        await withTaskCancellationHandler {
            var end: Task<Void, Never>?
            defer { end?.cancel() }
            return await withCheckedContinuation { continuation in
                let now = self.now()
                let admission = shard.state.withLock { $0.admit(key, ticket, waiter: continuation, now: now) }
                switch admission {
                case .value(let value, let start):
                    if let start { run(start, for: key, on: shard, fill) }
                    continuation.resume(returning: .value(value))
                case .waiting(let start):
                    if let start { run(start, for: key, on: shard, fill) }
                    // The handler below may have run before there was anyone to take out.
                    if Task.isCancelled { leave(ticket, shard) }
                    end = RequestDeadline.current.map { deadline in
                        Task {
                            try? await Task.sleep(until: deadline, clock: .continuous)
                            if !Task.isCancelled { leave(ticket, shard) }
                        }
                    }
                }
            }
        } onCancel: {
            leave(ticket, shard)
        }
    }

    private func leave(_ ticket: State.Ticket, _ shard: Shard) {
        shard.state.withLock { $0.leave(ticket) }?.resume(returning: .left)
    }

    private func run(
        _ id: FillID, for key: Key, on shard: Shard, _ fill: @escaping @Sendable () async throws -> Value
    ) {
        metrics.fillBegan()
        Task.detached { [self] in
            let result: Result<State.Reading, any Error>
            do {
                let value = try await fill()
                result = .success(
                    State.Reading(
                        value: value, tags: tags(key, value), cost: cost(key, value), random: .random(in: 0..<1)))
            } catch {
                metrics.fillFailed()
                result = .failure(error)
            }
            let now = self.now()
            let completion = shard.state.withLock { $0.complete(id, result, now: now) }
            metrics.evicted(completion.evictions)
            metrics.holds(statistics.entries)
            for (continuation, outcome) in completion.resume { continuation.resume(returning: outcome) }
        }
    }
}

/// The request's time was over before the fill that it waited for; the fill goes on.
package struct FillTimeout: Error {}
