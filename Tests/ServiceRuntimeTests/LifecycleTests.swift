import Logging
import ServiceLifecycle
import ServiceRuntime
import Synchronization
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite(.serialized) struct LifecycleTests {
    /// What happened, in order.
    private final class Events: Sendable {
        private let list = Mutex<[String]>([])
        var all: [String] { list.withLock { $0 } }
        func note(_ event: String) { list.withLock { $0.append(event) } }
    }

    private struct Part: Service {
        let name: String
        let events: Events
        var started: @Sendable () async throws -> Void = {}

        func run() async throws {
            events.note("\(name) starts")
            try await started()
            try? await gracefulShutdown()
            events.note("\(name) stops")
        }
    }

    private struct Broken: Error {}

    private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    @Test(arguments: [SIGTERM, SIGINT]) func aSignalStopsInReverseOrder(_ signal: Int32) async throws {
        let events = Events()
        try await runServices(
            [
                Part(name: "database", events: events), Part(name: "worker", events: events),
                Part(
                    name: "server", events: events,
                    started: {
                        for _ in 0..<500 where events.all.count < 3 { try await Task.sleep(for: .milliseconds(10)) }
                        kill(getpid(), signal)
                    }),
            ], logger: logger)
        #expect(Set(events.all.prefix(3)) == ["database starts", "worker starts", "server starts"])
        #expect(events.all.suffix(3) == ["server stops", "worker stops", "database stops"])
    }

    @Test func aPartThatFailsEndsAllAndSaysWhy() async throws {
        let events = Events()
        await #expect(throws: Broken.self) {
            try await runServices(
                [
                    Part(name: "database", events: events),
                    Part(name: "server", events: events, started: { throw Broken() }),
                ],
                logger: logger)
        }
        #expect(events.all.contains("database stops"))
    }
}
