/// What a LISTEN tells its subscriber.
package enum PostgresNotification: Sendable, Hashable {
    case notification(payload: String)
    /// Listening began, or began again after the connection was lost: notifications may have been missed, read everything.
    case reconnected
}

/// The notifications of one channel, until the task that reads them ends.
///
/// They are hints: bursts are coalesced (the newest 256 are kept), and a lost connection shows as `.reconnected`.
package struct PostgresNotifications: AsyncSequence, Sendable {
    package typealias Element = PostgresNotification
    package typealias Failure = Never

    let stream: AsyncStream<PostgresNotification>

    package func makeAsyncIterator() -> AsyncStream<PostgresNotification>.Iterator { stream.makeAsyncIterator() }
}

/// One subscriber of a channel.
final class Subscription: Sendable {
    let channel: String
    private let continuation: AsyncStream<PostgresNotification>.Continuation

    init(channel: String, continuation: AsyncStream<PostgresNotification>.Continuation) {
        self.channel = channel
        self.continuation = continuation
    }

    func yield(_ notification: PostgresNotification) { continuation.yield(notification) }
    func finish() { continuation.finish() }
}
