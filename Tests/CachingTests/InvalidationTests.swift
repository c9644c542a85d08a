import Testing

@testable import Caching

extension ShardStateTests {
    @Test("by key, by tag, and all")
    func invalidation() throws {
        var state = makeState()
        let red = CacheTag("red"), blue = CacheTag("blue")
        try fill(&state, "a", 1, tags: [red], now: 0)
        try fill(&state, "b", 2, tags: [red, blue], now: 0)
        try fill(&state, "c", 3, tags: [blue], now: 0)
        try fill(&state, "d", 4, now: 0)
        #expect(state.invalidate(red) == 2)
        #expect(look(&state, "a", now: 1) == nil && look(&state, "b", now: 1) == nil)
        #expect(look(&state, "c", now: 1) != nil && look(&state, "d", now: 1) != nil)
        #expect(state.invalidate("d") == 1)
        #expect(look(&state, "d", now: 1) == nil && look(&state, "c", now: 1) != nil)
        #expect(state.invalidateAll() == 1)
        #expect(look(&state, "c", now: 1) == nil)
        #expect(state.tagged.isEmpty, "tags of gone entries are kept")
    }

    @Test("tags follow the entry when it is filled again or evicted")
    func retagging() throws {
        var state = makeState(capacity: 1)
        let red = CacheTag("red"), blue = CacheTag("blue")
        try fill(&state, "a", 1, tags: [red], now: 0)
        let again = try #require(lead(&state, "a", caller: 1, refresh: true, now: 1))
        _ = state.complete(again, reading(2, tags: [blue]), now: at(1))
        #expect(state.invalidate(red) == 0)
        #expect(look(&state, "a", now: 1)?.value == 2)
        try fill(&state, "b", 3, tags: [red], now: 1)
        #expect(state.tagged == [red: ["b"]])
    }

    enum How: CaseIterable, Sendable { case key, tag, all, manyTags }

    @Test(
        "a fill that began before an invalidation is not stored, nor given to one who came after",
        arguments: How.allCases)
    func fillAcrossInvalidation(_ how: How) throws {
        var state = makeState()
        let red = CacheTag("red")
        let before = try #require(lead(&state, "a", caller: 1, now: 0))
        switch how {
        case .key: #expect(state.invalidate("a") == 1)
        case .tag: #expect(state.invalidate(red) == 0)
        case .all: #expect(state.invalidateAll() == 1)
        case .manyTags: for number in 0...State.rememberedTags { _ = state.invalidate(CacheTag("\(number)")) }
        }
        let after = lead(&state, "a", caller: 2, now: 0)
        #expect((after == nil) == (how == .tag), "a tag is judged when the fill has ended")
        var expected = [1: "1"]
        if how == .tag { expected[2] = "ask again" }
        #expect(outcomes(state.complete(before, reading(1, tags: [red]), now: at(1))) == expected)
        #expect(look(&state, "a", now: 1) == nil, "the stale value was stored")
        if let after {
            #expect(outcomes(state.complete(after, reading(2, tags: [red]), now: at(1))) == [2: "2"])
            #expect(look(&state, "a", now: 1)?.value == 2)
        }
    }

    @Test("a running fill without the tag is stored")
    func unrelatedTag() throws {
        var state = makeState()
        let id = try #require(lead(&state, "a", caller: 1, now: 0))
        _ = state.invalidate(CacheTag("blue"))
        #expect(lead(&state, "a", caller: 2, now: 0) == nil)
        #expect(outcomes(state.complete(id, reading(1, tags: [CacheTag("red")]), now: at(1))) == [1: "1", 2: "1"])
        #expect(look(&state, "a", now: 1)?.value == 1)
    }

    @Test("a fill set aside does not end the one that took its place")
    func replacement() throws {
        var state = makeState()
        let old = try #require(lead(&state, "a", caller: 1, now: 0))
        _ = state.invalidate("a")
        let new = try #require(lead(&state, "a", caller: 2, now: 0))
        _ = state.complete(old, reading(1), now: at(1))
        #expect(lead(&state, "a", caller: 3, now: 1) == nil, "a third fill beside the second")
        #expect(outcomes(state.complete(new, reading(2), now: at(1))) == [2: "2", 3: "2"])
        #expect(state.fills.isEmpty && state.current.isEmpty)
    }

    @Test("a failure of a fill set aside does not touch the entry stored since")
    func lateFailure() throws {
        var state = makeState()
        let old = try #require(lead(&state, "a", caller: 1, now: 0))
        _ = state.invalidate("a")
        try fill(&state, "a", 2, now: 0)
        #expect(outcomes(state.complete(old, .failure(Failed()), now: at(1))) == [1: "failure"])
        let ticket = state.arrive(refresh: false)
        guard case .value(_, let refresh) = state.answer("a", ticket, now: at(11)) else {
            Issue.record("not served")
            return
        }
        #expect(refresh != nil, "the refresh was put off by another fill's failure")
    }
}
