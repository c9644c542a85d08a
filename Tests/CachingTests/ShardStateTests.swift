import Testing

@testable import Caching

/// The rules, with a clock that is passed in and callers that are numbers.
@Suite("Cache rules")
struct ShardStateTests {
    typealias State = ShardState<String, Int, Int>

    struct Failed: Error {}

    let start = ContinuousClock.now

    func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    func makeState(
        capacity: Int = 10, revalidate: Duration = .seconds(20), ifError: Duration = .seconds(100),
        jitter: Double = 0
    ) -> State {
        State(
            policy: CachePolicy(
                capacity: capacity, shards: 1, freshFor: .seconds(10), staleWhileRevalidate: revalidate,
                staleIfError: ifError, jitter: jitter, retryDelay: .seconds(5)),
            capacity: capacity)
    }

    func reading(_ value: Int, tags: Set<CacheTag> = [], random: Double = 0) -> Result<State.Reading, any Error> {
        .success(State.Reading(value: value, tags: tags, cost: 1, random: random))
    }

    /// Fills the key at once.
    func fill(
        _ state: inout State, _ key: String, _ value: Int, tags: Set<CacheTag> = [], now: Double, random: Double = 0
    )
        throws
    {
        let id = try #require(lead(&state, key, caller: 0, now: now))
        _ = state.complete(id, reading(value, tags: tags, random: random), now: at(now))
    }

    /// A caller that misses; the fill it is to start.
    func lead(_ state: inout State, _ key: String, caller: Int, refresh: Bool = false, now: Double) -> FillID? {
        let ticket = state.arrive(refresh: refresh)
        guard case .waiting(let id) = state.admit(key, ticket, waiter: caller, now: at(now)) else { return nil }
        return id
    }

    func look(_ state: inout State, _ key: String, refresh: Bool = false, now: Double) -> CachedValue<Int>? {
        let ticket = state.arrive(refresh: refresh)
        guard case .value(let value, _) = state.answer(key, ticket, now: at(now)) else { return nil }
        return value
    }

    func outcomes(_ completion: State.Completion) -> [Int: String] {
        var result: [Int: String] = [:]
        for (waiter, outcome) in completion.resume {
            switch outcome {
            case .value(let value): result[waiter] = "\(value.value)\(value.isStale ? " stale" : "")"
            case .failure: result[waiter] = "failure"
            case .askAgain: result[waiter] = "ask again"
            case .left: result[waiter] = "left"
            }
        }
        return result
    }

    @Test("a value is fresh, then stale and refreshed once, then gone")
    func phases() throws {
        var state = makeState()
        try fill(&state, "a", 1, now: 0)
        let fresh = try #require(look(&state, "a", now: 9.9))
        #expect(!fresh.isStale && fresh.age == .seconds(9.9) && fresh.storedAt == at(0))

        let ticket = state.arrive(refresh: false)
        guard case .value(let stale, let refresh) = state.answer("a", ticket, now: at(10)) else {
            Issue.record("not served")
            return
        }
        #expect(stale.isStale && refresh != nil)
        guard case .value(_, let second) = state.answer("a", ticket, now: at(11)) else {
            Issue.record("not served")
            return
        }
        #expect(second == nil, "a second refresh beside the first")
        #expect(look(&state, "a", now: 29.9) != nil)
        #expect(look(&state, "a", now: 30) == nil)
    }

    @Test("age counts from the beginning of the fill")
    func slowFill() throws {
        var state = makeState(revalidate: .zero, ifError: .zero)
        let id = try #require(lead(&state, "a", caller: 1, now: 0))
        _ = state.complete(id, reading(1), now: at(4))
        #expect(look(&state, "a", now: 6)?.age == .seconds(6))
        #expect(look(&state, "a", now: 10) == nil)
    }

    @Test("jitter shortens a life by at most its part")
    func jitter() throws {
        var state = makeState(revalidate: .zero, ifError: .zero, jitter: 0.2)
        try fill(&state, "long", 1, now: 0, random: 0)
        try fill(&state, "short", 1, now: 0, random: 0.999)
        #expect(look(&state, "long", now: 9.9) != nil)
        #expect(look(&state, "short", now: 7.9) != nil)
        #expect(look(&state, "short", now: 8.1) == nil)
    }

    @Test("callers that miss together share one fill, value and failure alike")
    func singleFlight() throws {
        var state = makeState()
        let id = try #require(lead(&state, "a", caller: 1, now: 0))
        #expect(lead(&state, "a", caller: 2, now: 0) == nil)
        #expect(lead(&state, "a", caller: 3, now: 0) == nil)
        #expect(outcomes(state.complete(id, reading(7), now: at(1))) == [1: "7", 2: "7", 3: "7"])

        let failing = try #require(lead(&state, "b", caller: 1, now: 0))
        #expect(lead(&state, "b", caller: 2, now: 0) == nil)
        #expect(
            outcomes(state.complete(failing, .failure(Failed()), now: at(1))) == [1: "failure", 2: "failure"])
        #expect(lead(&state, "b", caller: 4, now: 1) != nil, "a failure was remembered")
        #expect(state.statistics.fills == 3 && state.statistics.failures == 1)
    }

    @Test("a caller that leaves takes nobody with it")
    func leaving() throws {
        var state = makeState()
        let ticket = state.arrive(refresh: false)
        guard case .waiting(let id?) = state.admit("a", ticket, waiter: 1, now: at(0)) else {
            Issue.record("no fill")
            return
        }
        #expect(lead(&state, "a", caller: 2, now: 0) == nil)
        #expect(state.leave(ticket) == 1)
        #expect(state.leave(ticket) == nil)
        #expect(outcomes(state.complete(id, reading(7), now: at(1))) == [2: "7"])
        #expect(look(&state, "a", now: 1)?.value == 7)
    }

    @Test("a failed refresh serves the old value for a while, then tries again")
    func staleIfError() throws {
        var state = makeState()
        try fill(&state, "a", 1, now: 0)
        // Too old to be served while it is refreshed: the caller waits, and gets the old value when that fails.
        let id = try #require(lead(&state, "a", caller: 1, now: 40))
        #expect(outcomes(state.complete(id, .failure(Failed()), now: at(41))) == [1: "1 stale"])
        #expect(look(&state, "a", now: 45.9)?.isStale == true, "asked again within the delay")
        #expect(look(&state, "a", now: 46) == nil)
        let late = try #require(lead(&state, "a", caller: 2, now: 110))
        #expect(outcomes(state.complete(late, .failure(Failed()), now: at(110))) == [2: "failure"])
    }

    @Test("one who insists on a new value is not given the old one when filling fails")
    func refreshFails() throws {
        var state = makeState()
        try fill(&state, "a", 1, now: 0)
        let id = try #require(lead(&state, "a", caller: 1, refresh: true, now: 1))
        #expect(outcomes(state.complete(id, .failure(Failed()), now: at(1))) == [1: "failure"])
        #expect(look(&state, "a", now: 2)?.value == 1)
    }

    @Test("one who insists on a new value waits for a fill that began after it came")
    func refresh() throws {
        var state = makeState()
        let first = try #require(lead(&state, "a", caller: 1, now: 0))
        #expect(lead(&state, "a", caller: 2, refresh: true, now: 0) == nil, "two fills at once")
        #expect(outcomes(state.complete(first, reading(1), now: at(1))) == [1: "1", 2: "ask again"])
        let second = try #require(lead(&state, "a", caller: 2, refresh: true, now: 1), "served the older value")
        #expect(outcomes(state.complete(second, reading(2), now: at(1))) == [2: "2"])
        #expect(look(&state, "a", now: 1)?.value == 2)
    }

    @Test("statistics")
    func statistics() throws {
        var state = makeState(capacity: 2)
        for key in ["a", "b", "c"] {
            #expect(look(&state, key, now: 0) == nil)
            try fill(&state, key, 1, now: 0)
        }
        #expect(look(&state, "c", now: 1) != nil)
        #expect(look(&state, "c", now: 11)?.isStale == true)
        _ = state.invalidate("c")
        var expected = CacheStatistics()
        expected.hits = 2
        expected.staleHits = 1
        expected.misses = 3
        // The stale hit began one behind its caller's back; the invalidation set it aside.
        expected.fills = 4
        expected.evictions = 1
        expected.invalidations = 2
        expected.entries = 1
        expected.cost = 1
        #expect(state.statistics == expected)
    }
}
