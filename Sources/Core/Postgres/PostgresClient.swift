package import Logging
import ServiceLifecycle

/// A pool of connections to one PostgreSQL database, in three lanes.
///
/// - ``read(_:)``: many tasks share a few connections; statements are pipelined.
/// - ``write(_:)``: one durable statement, a transaction of its own.
/// - ``transaction(isolation:_:)``: several statements on a connection of one's own.
///
/// "The database decides, in one statement where it can": most work needs only the first two. Every call has a
/// deadline, and none waits past `RequestDeadline.current`. Run it as a service; it drains at graceful shutdown.
package final class PostgresClient: Service, Sendable {
    package let configuration: PostgresConfiguration
    let reactor: Reactor

    /// Starts the pool's thread; connections open at once in the background, whether or not the server is there.
    ///
    /// Throws `.unavailable` when the process is out of file descriptors.
    package init(configuration: PostgresConfiguration, logger: Logger) throws(PostgresError) {
        self.configuration = configuration
        reactor = try Reactor(configuration: configuration, logger: logger)
    }

    deinit { _ = reactor.inbox.post(.shutDown) }

    /// Waits for graceful shutdown or cancellation, then lets what is under way finish (5 s at most) and closes.
    package func run() async throws {
        try? await gracefulShutdown()
        await shutDown()
    }

    /// Ends the pool; for commands that use it without a service group.
    package func shutDown() async { await reactor.shutDown() }

    /// Runs one reading statement.
    ///
    /// It may be sent a second time when a connection dies. The server refuses writes here (SQLSTATE 25006).
    package func read(_ query: PostgresQuery) async throws(PostgresError) -> PostgresRows {
        try await perform(Statement(query, lane: .reads, timing: configuration.timing, now: .now))
    }

    /// Runs one statement as a transaction of its own; when it returns, its effect is durable.
    ///
    /// After a deadlock or serialization failure it is tried again. Throws `.outcomeUnknown` when the connection died
    /// after it was sent, and `.timeout` when no answer came: then it may have happened.
    package func write(_ query: PostgresQuery) async throws(PostgresError) -> PostgresRows {
        try await perform(
            Statement(query, lane: .writes, decidesOutcome: true, timing: configuration.timing, now: .now))
    }

    /// The notifications of a channel, from now on; begins with `.reconnected` once listening.
    package func notifications(on channel: String) -> PostgresNotifications {
        let (stream, continuation) = AsyncStream.makeStream(
            of: PostgresNotification.self, bufferingPolicy: .bufferingNewest(256))
        let subscription = Subscription(channel: channel, continuation: continuation)
        let inbox = reactor.inbox
        continuation.onTermination = { _ in _ = inbox.post(.unlisten(subscription)) }
        if !inbox.post(.listen(subscription)) { continuation.finish() }
        return PostgresNotifications(stream: stream)
    }

    /// Hands a statement to the reactor and waits for its answer; cancelling the task ends the wait at once.
    func perform(_ statement: Statement) async throws(PostgresError) -> PostgresRows {
        let inbox = reactor.inbox
        let answer = await withTaskCancellationHandler {
            await wait(for: statement)
        } onCancel: {
            _ = inbox.post(.cancel(statement))
        }
        return try answer.get()
    }

    func wait(for statement: Statement) async -> Statement.Answer {
        await withUnsafeContinuation { continuation in
            statement.wait(with: continuation)
            if !reactor.inbox.post(.submit(statement)) { statement.fail(.unavailable, "shut down") }
        }
    }
}
