import Synchronization

/// What all requests of one server share: whether it is going down, and how many are being answered.
final class ServingState: Sendable {
    private let draining = Atomic<Bool>(false)
    private let count = Atomic<Int>(0)

    var isDraining: Bool { draining.load(ordering: .relaxed) }

    func startDraining() { draining.store(true, ordering: .relaxed) }

    var requestsInFlight: Int { count.load(ordering: .relaxed) }

    /// Counts a request in; gives how many there are with it.
    func enter() -> Int { count.add(1, ordering: .relaxed).newValue }

    func leave() { count.subtract(1, ordering: .relaxed) }
}
