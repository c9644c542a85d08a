/// A bounded table with the eviction of S3-FIFO (Yang and others, *FIFO queues are all you need for cache
/// eviction*, SOSP 2023).
///
/// A new entry waits in a small queue, a tenth of the room. If it was used twice by the time it reaches the end, it
/// moves to the main queue; if not, it leaves, and only its hash is remembered for a while, so that a second coming
/// goes straight to the main queue. A scan of keys nobody asks for twice therefore costs a tenth of the table.
/// A hit writes one counter and moves nothing.
struct EntryTable<Key: Hashable & Sendable, Entry: Sendable>: Sendable {
    private enum Queue { case small, main }

    private struct Slot {
        let key: Key
        var entry: Entry
        let cost: Int
        var frequency: UInt8 = 0
        var queue: Queue
        /// The neighbour towards the newer end, and the one towards the older end.
        var newer: Int?
        var older: Int?
    }

    /// One FIFO, linked through the slots so that any entry can leave in constant time.
    private struct Chain {
        var newest: Int?
        var oldest: Int?
        var cost = 0
    }

    private let capacity: Int
    private var slots: [Slot?] = []
    private var vacant: [Int] = []
    private var index: [Key: Int] = [:]
    private var small = Chain()
    private var main = Chain()
    private var ghosts: GhostList

    /// A table for entries of a total cost of at most `capacity`.
    init(capacity: Int) {
        self.capacity = capacity
        ghosts = GhostList(capacity: min(capacity, 65_536))
    }

    var count: Int { index.count }
    var cost: Int { small.cost + main.cost }

    /// The entry of the key; counts as a use.
    mutating func use(_ key: Key) -> Entry? {
        guard let position = index[key] else { return nil }
        let frequency = slots[position]?.frequency ?? 0
        slots[position]?.frequency = min(frequency + 1, 3)
        return slots[position]?.entry
    }

    /// The entry of the key; does not count as a use.
    func peek(_ key: Key) -> Entry? { index[key].flatMap { slots[$0]?.entry } }

    /// Changes the entry of the key where it stands.
    mutating func update(_ key: Key, _ change: (inout Entry) -> Void) {
        guard let position = index[key], var slot = slots[position] else { return }
        change(&slot.entry)
        slots[position] = slot
    }

    /// Puts the entry in place of the key's last one and returns those that had to leave, itself if it is too big.
    mutating func insert(_ entry: Entry, for key: Key, cost: Int) -> [(key: Key, entry: Entry)] {
        let used = index[key].flatMap { slots[$0]?.frequency }
        let wasMain = index[key].map { slots[$0]?.queue == .main } ?? false
        remove(key)
        let cost = max(1, cost)
        guard cost <= capacity else { return [(key, entry)] }
        let queue: Queue = wasMain || ghosts.remove(key.hashValue) ? .main : .small
        var evicted: [(key: Key, entry: Entry)] = []
        while self.cost > capacity - cost, let gone = evictOne() { evicted.append(gone) }
        var slot = Slot(key: key, entry: entry, cost: cost, queue: queue)
        // A refreshed entry keeps what it has earned.
        slot.frequency = used ?? 0
        let position: Int
        if let free = vacant.popLast() {
            slots[free] = slot
            position = free
        } else {
            slots.append(slot)
            position = slots.count - 1
        }
        index[key] = position
        link(position, to: queue)
        return evicted
    }

    @discardableResult
    mutating func remove(_ key: Key) -> Entry? {
        guard let position = index.removeValue(forKey: key) else { return nil }
        unlink(position)
        let entry = slots[position]?.entry
        slots[position] = nil
        vacant.append(position)
        return entry
    }

    mutating func removeAll() {
        slots.removeAll()
        vacant.removeAll()
        index.removeAll()
        small = Chain()
        main = Chain()
        ghosts.removeAll()
    }

    private mutating func evictOne() -> (key: Key, entry: Entry)? {
        while true {
            // Queues are emptied from their oldest end; each turn removes an entry, moves one from small to main, or
            // lowers a counter, so the loop ends.
            if let position = small.oldest, small.cost * 10 >= capacity || main.oldest == nil {
                guard let slot = slots[position] else { return nil }
                if slot.frequency > 1 {
                    move(position, to: .main, frequency: 0)
                } else {
                    ghosts.insert(slot.key.hashValue)
                    remove(slot.key)
                    return (slot.key, slot.entry)
                }
            } else if let position = main.oldest {
                guard let slot = slots[position] else { return nil }
                if slot.frequency > 0 {
                    move(position, to: .main, frequency: slot.frequency - 1)
                } else {
                    remove(slot.key)
                    return (slot.key, slot.entry)
                }
            } else {
                return nil
            }
        }
    }

    private mutating func move(_ position: Int, to queue: Queue, frequency: UInt8) {
        unlink(position)
        slots[position]?.frequency = frequency
        slots[position]?.queue = queue
        link(position, to: queue)
    }

    private mutating func link(_ position: Int, to queue: Queue) {
        var chain = queue == .small ? small : main
        let newest = chain.newest
        slots[position]?.newer = nil
        slots[position]?.older = newest
        if let newest { slots[newest]?.newer = position } else { chain.oldest = position }
        chain.newest = position
        chain.cost += slots[position]?.cost ?? 0
        if queue == .small { small = chain } else { main = chain }
    }

    private mutating func unlink(_ position: Int) {
        guard let slot = slots[position] else { return }
        var chain = slot.queue == .small ? small : main
        if let newer = slot.newer { slots[newer]?.older = slot.older } else { chain.newest = slot.older }
        if let older = slot.older { slots[older]?.newer = slot.newer } else { chain.oldest = slot.newer }
        chain.cost -= slot.cost
        if slot.queue == .small { small = chain } else { main = chain }
    }
}
