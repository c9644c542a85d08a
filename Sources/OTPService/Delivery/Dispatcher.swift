package import Logging
import ServiceLifecycle
import Synchronization

/// Takes messages from the outbox and has them delivered.
///
/// A send rings the bell at its commit, so that an idle system hands the message over within milliseconds; the guarantee is the
/// poll, every two seconds, which also finds what another instance left behind when its lease passed. Any number of instances
/// may run. At graceful shutdown nothing more is taken, what is at the gateway is waited for, and its reports are written.
package final class Dispatcher: Service, Sendable {
    /// How the dispatcher works.
    package struct Configuration: Sendable {
        /// How many messages may be at the gateway at once.
        package var inFlight = 64
        /// The longest a due message waits for its turn, whatever is lost.
        package var poll: Duration = .seconds(2)
        /// With fewer places free than this it waits for `breath`, so that a busy system takes messages in batches.
        package var smallestBatch = 16
        /// How long a busy dispatcher lets places come free.
        package var breath: Duration = .milliseconds(8)

        /// The defaults.
        package init() {}
    }

    private let outbox: Outbox
    private let deliver: DeliverMessage
    private let watch: GatewayWatch
    private let configuration: Configuration
    private let logger: Logger
    private let bell = Bell()
    private let state = Mutex(State())

    private struct State {
        var inFlight = 0
        var stopping = false
        /// The last claim was full: there may be more.
        var backlog = false
        var lastSweep: ContinuousClock.Instant?
    }

    /// A dispatcher that runs once `run()` does.
    package init(
        outbox: Outbox, deliver: DeliverMessage, configuration: Configuration = Configuration(), logger: Logger
    ) {
        self.outbox = outbox
        self.deliver = deliver
        watch = deliver.watch
        self.configuration = configuration
        self.logger = logger
    }

    /// There is something to send. Never blocks.
    package func wake() { bell.ring() }

    /// Works until graceful shutdown or cancellation.
    package func run() async throws {
        await withGracefulShutdownHandler {
            await work()
        } onGracefulShutdown: {
            self.stop()
        }
    }

    private func stop() {
        state.withLock { $0.stopping = true }
        bell.finish()
    }

    private func work() async {
        let writer = ReportWriter(outbox: outbox, logger: logger)
        async let written: Void = writer.run()
        let ticker = Task { [bell, configuration, watch] in
            while !Task.isCancelled {
                bell.ring()
                // While the gateway refuses all, a probe goes out when its time has come, and not a poll later.
                let pause = watch.isOpen ? min(configuration.poll, .milliseconds(250)) : configuration.poll
                try? await Task.sleep(for: pause)
            }
        }
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                for await _ in bell.rings { await claim(into: &group, writer) }
            }
        } onCancel: {
            stop()
        }
        ticker.cancel()
        writer.finish()
        await written
    }

    /// Takes what there is place for, until there is nothing more or no more place.
    private func claim(into group: inout DiscardingTaskGroup, _ writer: ReportWriter) async {
        while true {
            var free = freePlaces()
            if free < configuration.smallestBatch {
                try? await Task.sleep(for: configuration.breath)
                free = freePlaces()
            }
            guard free > 0 else {
                state.withLock { $0.backlog = true }
                return
            }
            let admitted = watch.admitted(free)
            let messages: [Message]
            do {
                if admitted < free { try await sweep() }
                messages = admitted > 0 ? try await outbox.claim(admitted, leastTriedFirst: watch.isOpen) : []
            } catch {
                logger.warning("outbox out of reach", metadata: ["error": "\(error)"])
                messages = []
            }
            if admitted > 0 { watch.taken(messages) }
            state.withLock { state in
                state.inFlight += messages.count
                state.backlog = messages.count == admitted
            }
            for message in messages {
                group.addTask { await self.work(on: message, writer) }
            }
            if messages.count < free { return }
        }
    }

    /// Ends dead messages, which nobody claims while the gateway refuses all; once in the time of a poll.
    private func sweep() async throws {
        let now = ContinuousClock.now
        let isDue = state.withLock { state in
            if let last = state.lastSweep, now - last < configuration.poll { return false }
            state.lastSweep = now
            return true
        }
        if isDue { try await outbox.endDead() }
    }

    private func freePlaces() -> Int {
        state.withLock { $0.stopping ? 0 : max(0, configuration.inFlight - $0.inFlight) }
    }

    private func work(on message: Message, _ writer: ReportWriter) async {
        let report = await deliver(message, mayRepeat: { !self.state.withLock(\.stopping) })
        writer.add(message, report)
        let backlog = state.withLock { state in
            state.inFlight -= 1
            return state.backlog
        }
        if backlog { bell.ring() }
    }
}
