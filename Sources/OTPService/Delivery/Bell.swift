/// Wakes one waiting task; rings while nobody waits are remembered as one.
package struct Bell: Sendable {
    /// For the one task that waits.
    package let rings: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    /// A silent bell.
    package init() {
        (rings, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Never blocks.
    package func ring() { continuation.yield() }

    /// The waiting task's loop ends after the ring that is pending.
    package func finish() { continuation.finish() }
}
