/// The hashes of the last keys evicted, oldest forgotten first.
///
/// A hash may be forgotten early or belong to another key; it only decides where an entry enters the queues.
struct GhostList: Sendable {
    private let capacity: Int
    private var ring: [Int]
    private var next = 0
    private var members: Set<Int> = []

    init(capacity: Int) {
        ring = []
        ring.reserveCapacity(min(capacity, 1024))
        self.capacity = max(1, capacity)
    }

    mutating func insert(_ hash: Int) {
        guard members.insert(hash).inserted else { return }
        if ring.count < capacity {
            ring.append(hash)
        } else {
            members.remove(ring[next])
            ring[next] = hash
            next = (next + 1) % capacity
        }
    }

    /// Whether the hash is listed; if so it is taken off.
    mutating func remove(_ hash: Int) -> Bool { members.remove(hash) != nil }

    mutating func removeAll() {
        ring.removeAll(keepingCapacity: true)
        members.removeAll(keepingCapacity: true)
        next = 0
    }
}
