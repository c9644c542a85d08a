/// A table of bounded size: a new key takes the place of the one that came first.
///
/// Whoever floods it with keys makes it forget, and what is forgotten is asked of the database again: memory stays bounded,
/// and nothing that it forgets is a decision.
struct RecentTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var values: [Key: Value] = [:]
    /// The keys in the order they came, as a ring.
    private var ring: [Key] = []
    private var next = 0
    private let capacity: Int

    init(capacity: Int) { self.capacity = max(1, capacity) }

    var count: Int { values.count }

    subscript(key: Key) -> Value? {
        get { values[key] }
        set {
            guard let newValue else {
                // The key stays in the ring; what it points to is gone.
                values[key] = nil
                return
            }
            let isNew = values.updateValue(newValue, forKey: key) == nil
            guard isNew else { return }
            if ring.count < capacity {
                ring.append(key)
            } else {
                if ring[next] != key { values[ring[next]] = nil }
                ring[next] = key
                next = (next + 1) % capacity
            }
        }
    }
}
