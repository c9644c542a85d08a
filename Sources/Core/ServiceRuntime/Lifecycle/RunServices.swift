package import Logging
package import ServiceLifecycle
import Synchronization
import UnixSignals

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Runs services until SIGTERM or SIGINT, then stops them in reverse order.
///
/// Each has what it needs of 25 seconds to stop by itself; then all are cancelled, and three seconds later the process ends
/// whatever they do: an orchestrator would kill it at thirty. Stopping this way is success. Throws what a service threw
/// before a stop was asked for.
package func runServices(_ services: [any Service], logger: Logger) async throws {
    // A client that went away must not end the process.
    signal(SIGPIPE, SIG_IGN)
    let stop = StopWatch()
    var configuration = ServiceGroupConfiguration(
        services: (services + [stop]).map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
        logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(25)
    do {
        try await ServiceGroup(configuration: configuration).run()
    } catch {
        LogSink.standard.flush()
        guard stop.wasAsked else { throw error }
        logger.warning("Some work was cancelled at the stop", metadata: ["error": "\(error)"])
    }
    logger.notice("Stopped")
    LogSink.standard.flush()
}

/// Notices that a stop is asked for, and ends the process if it takes too long.
private final class StopWatch: Service {
    private let asked = Atomic<Bool>(false)

    var wasAsked: Bool { asked.load(ordering: .relaxed) }

    func run() async throws {
        do { try await gracefulShutdown() } catch { return }
        asked.store(true, ordering: .relaxed)
        Task.detached {
            try? await Task.sleep(for: .seconds(28))
            LogSink.standard.flush()
            exit(0)
        }
    }
}
