/// The newest messages, in bounded memory, with an index by number.
struct Outbox {
    private let capacity: Int
    /// A ring: the message with sequence number n lies at n modulo the capacity.
    private var ring: [Message] = []
    private var next = 0
    private var sequencesByMobile: [String: [Int]] = [:]

    init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    mutating func append(_ message: Message) {
        if ring.count < capacity {
            ring.append(message)
        } else {
            forget(ring[next % capacity].mobile)
            ring[next % capacity] = message
        }
        sequencesByMobile[message.mobile, default: []].append(next)
        next += 1
    }

    /// Newest first, at most `limit`.
    func messages(to mobile: String? = nil, limit: Int = .max) -> [Message] {
        if let mobile {
            return (sequencesByMobile[mobile] ?? []).reversed().prefix(limit).map { ring[$0 % capacity] }
        }
        return (0..<min(ring.count, max(0, limit))).map { ring[(next - 1 - $0) % capacity] }
    }

    mutating func removeAll() {
        self = Outbox(capacity: capacity)
    }

    /// The oldest message of the number is overwritten.
    private mutating func forget(_ mobile: String) {
        sequencesByMobile[mobile]?.removeFirst()
        if sequencesByMobile[mobile]?.isEmpty == true { sequencesByMobile[mobile] = nil }
    }
}

/// The newest elements of a log.
struct BoundedLog<Element> {
    private let capacity: Int
    private var elements: [Element] = []
    private var oldest = 0

    init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    mutating func append(_ element: Element) {
        if elements.count < capacity {
            elements.append(element)
        } else {
            elements[oldest] = element
            oldest = (oldest + 1) % capacity
        }
    }

    var newestFirst: [Element] {
        Array((elements[oldest...] + elements[..<oldest]).reversed())
    }

    mutating func removeAll() {
        elements = []
        oldest = 0
    }
}
