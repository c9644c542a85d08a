import CoreMetrics
import Deadlines
import Synchronization
import Testing

@testable import Caching

/// The shell: tasks, locks, cancellation.
@Suite("Cache", .timeLimit(.minutes(1)))
struct CacheTests {
    struct Failed: Error {}

    /// Holds fills until it is opened, and counts them.
    final class Gate: Sendable {
        private struct State {
            var isOpen = false
            var begun = 0
            var waiting: [CheckedContinuation<Void, Never>] = []
        }
        private let state = Mutex(State())

        var begun: Int { state.withLock { $0.begun } }

        func pass() async {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    state.begun += 1
                    if !state.isOpen { state.waiting.append(continuation) }
                    return state.isOpen
                }
                if isOpen { continuation.resume() }
            }
        }

        func open() {
            let waiting = state.withLock { state in
                state.isOpen = true
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }
    }

    /// The truth that the cache is about.
    final class Source: Sendable {
        private let version = Atomic(0)
        var now: Int { version.load(ordering: .sequentiallyConsistent) }
        func change() -> Int { version.add(1, ordering: .sequentiallyConsistent).newValue }
    }

    func makeCache(_ policy: CachePolicy = CachePolicy(capacity: 1000, freshFor: .seconds(3600)))
        -> Cache<String, Int>
    {
        Cache(name: "test", policy: policy)
    }

    /// Waits, by yielding, until the condition holds.
    func until(_ condition: () -> Bool) async {
        while !condition() { await Task.yield() }
    }

    @Test("a thousand callers, one fill")
    func stampede() async throws {
        let cache = makeCache()
        let gate = Gate()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<1000 {
                group.addTask {
                    try await cache.value(for: "a") {
                        await gate.pass()
                        return 7
                    }.value
                }
            }
            await until { cache.statistics.misses == 1000 }
            gate.open()
            for try await value in group { #expect(value == 7) }
        }
        #expect(gate.begun == 1)
        #expect(cache.statistics.fills == 1)
    }

    @Test("a thousand callers, one failure, and the next call fills")
    func sharedFailure() async throws {
        let cache = makeCache()
        let gate = Gate()
        let failures = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<1000 {
                group.addTask {
                    do {
                        _ = try await cache.value(for: "a") {
                            await gate.pass()
                            throw Failed()
                        }
                        return false
                    } catch {
                        return error is Failed
                    }
                }
            }
            await until { cache.statistics.misses == 1000 }
            gate.open()
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(failures == 1000)
        #expect(gate.begun == 1)
        #expect(try await cache.value(for: "a") { 8 }.value == 8)
    }

    @Test("cancelling the caller that began the fill ends its wait, not the fill")
    func cancelledLeader() async throws {
        let cache = makeCache()
        let gate = Gate()
        let leader = Task {
            try await cache.value(for: "a") {
                await gate.pass()
                try Task.checkCancellation()
                return 7
            }.value
        }
        await until { gate.begun == 1 }
        let follower = Task { try await cache.value(for: "a") { 8 }.value }
        await until { cache.statistics.misses == 2 }
        leader.cancel()
        await #expect(throws: CancellationError.self) { try await leader.value }
        gate.open()
        #expect(try await follower.value == 7)
        #expect(try await cache.value(for: "a") { 9 }.value == 7)
    }

    @Test("a caller leaves at its request's deadline, also one that passed before it came; the fill goes on")
    func deadline() async throws {
        let cache = Cache<String, Int>(name: "test", policy: CachePolicy(capacity: 10, freshFor: .seconds(60)))
        let gate = Gate()
        for deadline in [ContinuousClock.now - .seconds(1), .now + .milliseconds(20)] {
            await RequestDeadline.$current.withValue(deadline) {
                await #expect(throws: FillTimeout.self) {
                    _ = try await cache.value(for: "key") {
                        await gate.pass()
                        return 1
                    }
                }
            }
        }
        #expect(gate.begun == 1)
        gate.open()
        let value = try await RequestDeadline.$current.withValue(.now + .seconds(60)) {
            try await cache.value(for: "key") { 2 }
        }
        #expect(value.value == 1)
    }

    @Test("a caller cancelled before it came does not wait")
    func cancelledBefore() async throws {
        let cache = makeCache()
        let gate = Gate()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await cache.value(for: "a") {
                await gate.pass()
                return 7
            }.value
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        gate.open()
    }

    enum Caller { @TaskLocal static var name = "nobody" }

    @Test("a fill does not see the task-local values of the caller that happened to begin it")
    func fillBelongsToNobody() async throws {
        let cache = Cache<String, String>(name: "test", policy: CachePolicy(capacity: 10, freshFor: .seconds(3600)))
        let value = try await Caller.$name.withValue("leader") {
            try await cache.value(for: "a") { Caller.name }.value
        }
        #expect(value == "nobody")
    }

    @Test("a stale value is served at once and refreshed once behind")
    func staleWhileRevalidate() async throws {
        let clock = Mutex(ContinuousClock.now)
        let cache = Cache<String, Int>(
            name: "test",
            policy: CachePolicy(
                capacity: 10, freshFor: .seconds(10), staleWhileRevalidate: .seconds(10), jitter: 0),
            now: { clock.withLock { $0 } })
        #expect(try await cache.value(for: "a") { 1 }.value == 1)
        clock.withLock { $0 += .seconds(12) }
        let gate = Gate()
        for _ in 0..<100 {
            let stale = try await cache.value(for: "a") {
                await gate.pass()
                return 2
            }
            #expect(stale.value == 1 && stale.isStale && stale.age == .seconds(12))
        }
        gate.open()
        await until { cache.statistics.entries == 1 && gate.begun == 1 }
        while try await cache.value(for: "a", fill: { 3 }).value == 1 { await Task.yield() }
        let fresh = try await cache.value(for: "a") { 3 }
        #expect(fresh.value == 2 && !fresh.isStale && fresh.age == .zero)
        #expect(gate.begun == 1)
    }

    @Test("callers that insist on a new value all get one, from few fills")
    func refreshes() async throws {
        let cache = makeCache()
        let source = Source()
        _ = try await cache.value(for: "a") { 0 }
        _ = source.change()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try await cache.value(for: "a", refresh: true) {
                        source.now
                    }.value
                }
            }
            for try await value in group { #expect(value == 1) }
        }
    }

    @Test("no caller ever sees a value older than the last invalidation before its call", arguments: [false, true])
    func linearity(byTag: Bool) async throws {
        let tag = CacheTag("all")
        let cache = Cache<String, Int>(
            name: "test", policy: CachePolicy(capacity: 10, freshFor: .seconds(3600)), tags: { _, _ in [tag] })
        let source = Source()
        let violations = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var violations = 0
                    for round in 0..<2000 {
                        if round % 10 == 0 {
                            // The change is durable, then the cache is told, then we read.
                            let written = source.change()
                            if byTag { cache.invalidate(tag: tag) } else { cache.invalidate("a") }
                            let read = try? await cache.value(for: "a") {
                                let value = source.now
                                await Task.yield()
                                return value
                            }.value
                            if (read ?? -1) < written { violations += 1 }
                        } else {
                            _ = try? await cache.value(for: "a") {
                                let value = source.now
                                await Task.yield()
                                return value
                            }
                        }
                    }
                    return violations
                }
            }
            return await group.reduce(0, +)
        }
        #expect(violations == 0)
        let last = source.now
        #expect(
            try await cache.value(for: "a") { last }.value == last, "a value from before the last invalidation was kept"
        )
    }

    @Test("a hundred thousand keys leave it within its bounds")
    func bounded() async throws {
        let cache = Cache<Int, [UInt8]>(
            name: "test", policy: CachePolicy(capacity: 64_000, freshFor: .seconds(3600)),
            cost: { _, bytes in bytes.count })
        for key in 0..<100_000 { _ = try await cache.value(for: key) { [UInt8](repeating: 0, count: 100) } }
        #expect(cache.statistics.cost <= 64_000)
        #expect(cache.statistics.entries >= 600 && cache.statistics.entries <= 640)
        #expect(cache.statistics.evictions == 100_000 - cache.statistics.entries)
    }
}
