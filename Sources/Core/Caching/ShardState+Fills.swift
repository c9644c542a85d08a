/// Names a fill within its shard.
struct FillID: Hashable, Sendable {
    let number: UInt64
}

extension ShardState {
    /// One running fill.
    struct Fill: Sendable {
        struct Waiting: Sendable {
            let ticket: Ticket
            let waiter: Waiter
        }

        let key: Key
        let began: UInt64
        let beganAt: Instant
        /// By arrival.
        var waiting: [UInt64: Waiting] = [:]
        /// The tags invalidated while it ran. Its own tags are known only when it has ended.
        var invalidated: [(sequence: UInt64, tag: CacheTag)] = []
        /// Whether it may still be stored and joined.
        var isCurrent = true
    }

    /// How many tags a fill remembers before it is set aside instead.
    static var rememberedTags: Int { 1024 }

    /// What a fill has read.
    struct Reading: Sendable {
        let value: Value
        let tags: Set<CacheTag>
        let cost: Int
        /// A random number from 0 up to 1 for the jitter.
        let random: Double
    }

    /// Who is to be resumed with what, and how many entries had to leave.
    struct Completion: Sendable {
        var resume: [(waiter: Waiter, outcome: Outcome)] = []
        var evictions = 0
    }

    /// Ends a fill: stores what it read unless that was invalidated meanwhile, and tells its callers.
    mutating func complete(_ id: FillID, _ result: Result<Reading, any Error>, now: Instant) -> Completion {
        guard let fill = fills.removeValue(forKey: id) else { return Completion() }
        if current[fill.key] == id { current[fill.key] = nil }
        switch result {
        case .success(let reading): return succeed(fill, reading, now: now)
        case .failure(let error): return fail(fill, error, now: now)
        }
    }

    private mutating func succeed(_ fill: Fill, _ reading: Reading, now: Instant) -> Completion {
        var completion = Completion()
        let entry = Entry(
            value: reading.value, tags: reading.tags, began: fill.began, readAt: fill.beganAt,
            freshUntil: fill.beganAt + policy.freshFor(random: reading.random), retryAt: fill.beganAt)
        let invalidated = fill.invalidated.last { reading.tags.contains($0.tag) }?.sequence
        if fill.isCurrent, invalidated == nil {
            completion.evictions = store(entry, for: fill.key, cost: reading.cost)
        }
        let served = served(entry, now: now, isStale: false)
        for waiting in fill.waiting.values {
            let isOldEnough = fill.began >= waiting.ticket.notBefore
            let cameBefore = invalidated.map { waiting.ticket.arrival < $0 } ?? true
            completion.resume.append((waiting.waiter, isOldEnough && cameBefore ? .value(served) : .askAgain))
        }
        return completion
    }

    private mutating func fail(_ fill: Fill, _ error: any Error, now: Instant) -> Completion {
        counts.failures += 1
        var old: Entry?
        if fill.isCurrent, let entry = table.peek(fill.key) {
            table.update(fill.key) { $0.retryAt = now + policy.retryDelay }
            if now < entry.freshUntil + max(policy.staleIfError, policy.staleWhileRevalidate) { old = entry }
        }
        var completion = Completion()
        for waiting in fill.waiting.values {
            let outcome: Outcome
            if fill.began < waiting.ticket.notBefore {
                outcome = .askAgain
            } else if let old, old.began >= waiting.ticket.notBefore {
                outcome = .value(served(old, now: now, isStale: true))
            } else {
                outcome = .failure(error)
            }
            completion.resume.append((waiting.waiter, outcome))
        }
        return completion
    }

    private mutating func store(_ entry: Entry, for key: Key, cost: Int) -> Int {
        if let old = table.peek(key) { untag(key, old.tags) }
        for tag in entry.tags { tagged[tag, default: []].insert(key) }
        let evicted = table.insert(entry, for: key, cost: cost)
        for gone in evicted { untag(gone.key, gone.entry.tags) }
        counts.evictions += evicted.count
        return evicted.count
    }

    private mutating func untag(_ key: Key, _ tags: Set<CacheTag>) {
        for tag in tags {
            tagged[tag]?.remove(key)
            if tagged[tag]?.isEmpty == true { tagged[tag] = nil }
        }
    }
}

extension ShardState {
    /// Drops the key's entry and sets its running fill aside; the number of things dropped.
    mutating func invalidate(_ key: Key) -> Int {
        sequence += 1
        var dropped = 0
        if let entry = table.remove(key) {
            untag(key, entry.tags)
            dropped += 1
        }
        if let id = current[key] { dropped += setAside(id) }
        counts.invalidations += dropped
        return dropped
    }

    /// Drops every entry that carries the tag, and keeps running fills that turn out to carry it from being stored.
    mutating func invalidate(_ tag: CacheTag) -> Int {
        sequence += 1
        var dropped = 0
        for key in tagged.removeValue(forKey: tag) ?? [] {
            guard let entry = table.remove(key) else { continue }
            untag(key, entry.tags)
            dropped += 1
        }
        for id in current.values {
            if (fills[id]?.invalidated.count ?? 0) < Self.rememberedTags {
                fills[id]?.invalidated.append((sequence, tag))
            } else {
                dropped += setAside(id)
            }
        }
        counts.invalidations += dropped
        return dropped
    }

    /// Drops everything.
    mutating func invalidateAll() -> Int {
        sequence += 1
        var dropped = table.count
        table.removeAll()
        tagged.removeAll()
        for id in current.values { dropped += setAside(id) }
        counts.invalidations += dropped
        return dropped
    }

    private mutating func setAside(_ id: FillID) -> Int {
        guard let fill = fills[id], fill.isCurrent else { return 0 }
        fills[id]?.isCurrent = false
        current[fill.key] = nil
        return 1
    }
}
