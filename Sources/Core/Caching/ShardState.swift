/// What a waiting caller is resumed with.
enum FillOutcome<Value: Sendable>: Sendable {
    case value(CachedValue<Value>)
    case failure(any Error)
    /// The fill was too old for this caller: ask again.
    case askAgain
    /// The caller was cancelled and left.
    case left
}

/// All decisions of one shard of a cache: what is served, who waits for which fill, what is stored.
///
/// Pure: it knows no lock, task or clock. `now` is passed in, and waiting callers are opaque values that it hands
/// back to be resumed. Order is kept by a sequence number given to every arrival, fill and invalidation, never by
/// the clock, so that two events at the same instant still have an order. The promise, for a caller that arrived
/// before or after an invalidation:
///
/// - a fill that began before it is never stored after it;
/// - a caller that arrived after it is never given what such a fill read.
struct ShardState<Key: Hashable & Sendable, Value: Sendable, Waiter: Sendable>: Sendable {
    typealias Instant = ContinuousClock.Instant

    struct Entry: Sendable {
        let value: Value
        let tags: Set<CacheTag>
        /// Sequence number of the beginning of the fill that read it.
        let began: UInt64
        let readAt: Instant
        let freshUntil: Instant
        /// Before this, no fill is tried again: the last one failed.
        var retryAt: Instant
    }

    /// A caller's place in the order of events.
    struct Ticket: Sendable {
        let arrival: UInt64
        /// Only what fills begun from here on have read will do.
        var notBefore: UInt64
    }

    /// What a caller gets at once.
    enum Answer: Sendable {
        case value(CachedValue<Value>, refresh: FillID?)
        case absent
    }

    /// What a caller that would wait gets.
    enum Admission: Sendable {
        case value(CachedValue<Value>, refresh: FillID?)
        /// It waits; if a fill is named, it is to be started.
        case waiting(start: FillID?)
    }

    typealias Outcome = FillOutcome<Value>

    let policy: CachePolicy
    var table: EntryTable<Key, Entry>
    /// The keys of the entries that carry a tag.
    var tagged: [CacheTag: Set<Key>] = [:]
    /// Every running fill, also those set aside by an invalidation.
    var fills: [FillID: Fill] = [:]
    /// The fill that a new caller of the key may wait for.
    var current: [Key: FillID] = [:]
    var sequence: UInt64 = 0
    var counts = CacheStatistics()

    init(policy: CachePolicy, capacity: Int) {
        self.policy = policy
        table = EntryTable(capacity: capacity)
    }

    /// The counters with the present size.
    var statistics: CacheStatistics {
        var result = counts
        result.entries = table.count
        result.cost = table.cost
        return result
    }

    /// A place in the order for a caller; with `refresh`, nothing read before now will do for it.
    mutating func arrive(refresh: Bool) -> Ticket {
        sequence += 1
        return Ticket(arrival: sequence, notBefore: refresh ? sequence : 0)
    }

    /// Serves the caller from memory if it can; a stale value names the fill to start behind the caller's back.
    mutating func answer(_ key: Key, _ ticket: Ticket, now: Instant) -> Answer {
        let answer = look(key, ticket, now: now)
        switch answer {
        case .value(let value, _):
            counts.hits += 1
            if value.isStale { counts.staleHits += 1 }
        case .absent: counts.misses += 1
        }
        return answer
    }

    private mutating func look(_ key: Key, _ ticket: Ticket, now: Instant) -> Answer {
        guard let entry = table.use(key), entry.began >= ticket.notBefore else { return .absent }
        if now < entry.freshUntil {
            return .value(served(entry, now: now, isStale: false), refresh: nil)
        }
        let mayRefreshBehind = now < entry.freshUntil + policy.staleWhileRevalidate
        let failedJustNow = now < entry.retryAt && now < entry.freshUntil + policy.staleIfError
        guard mayRefreshBehind || failedJustNow else { return .absent }
        var refresh: FillID?
        if now >= entry.retryAt, current[key] == nil { refresh = begin(key, now: now) }
        return .value(served(entry, now: now, isStale: true), refresh: refresh)
    }

    /// Makes a caller that ``answer(_:_:now:)`` left without wait for a fill, its own if there is none; unless there
    /// is a value by now.
    mutating func admit(_ key: Key, _ ticket: Ticket, waiter: Waiter, now: Instant) -> Admission {
        if case .value(let value, let refresh) = look(key, ticket, now: now) {
            return .value(value, refresh: refresh)
        }
        let waiting = Fill.Waiting(ticket: ticket, waiter: waiter)
        if let running = current[key] {
            // For a caller that needs a newer one it is waited for all the same, and then asked again: a thousand
            // callers that bypass the cache cost two fills, one after the other, not a thousand at once.
            fills[running]?.waiting[ticket.arrival] = waiting
            return .waiting(start: nil)
        }
        let id = begin(key, now: now)
        fills[id]?.waiting[ticket.arrival] = waiting
        return .waiting(start: id)
    }

    /// Takes a caller that no longer waits out of its fill, which goes on for the others.
    mutating func leave(_ ticket: Ticket) -> Waiter? {
        for id in fills.keys {
            if let waiting = fills[id]?.waiting.removeValue(forKey: ticket.arrival) { return waiting.waiter }
        }
        return nil
    }

    private mutating func begin(_ key: Key, now: Instant) -> FillID {
        sequence += 1
        counts.fills += 1
        let id = FillID(number: sequence)
        fills[id] = Fill(key: key, began: sequence, beganAt: now)
        current[key] = id
        return id
    }

    func served(_ entry: Entry, now: Instant, isStale: Bool) -> CachedValue<Value> {
        CachedValue(
            value: entry.value, storedAt: entry.readAt, age: max(.zero, now - entry.readAt), isStale: isStale)
    }
}
