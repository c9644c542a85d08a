package import Logging
internal import HTTPClient
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import ServiceLifecycle

/// A stand-in for MSG91 over real HTTP, for development and tests: its paths, its answers, its faults, and an inbox.
package struct MSG91Simulator: Service {
    /// The version of the package, which the services report too.
    package static let version = "0.1.0"

    /// What it knows; tests in the same process read and steer it here.
    package let gateway: Gateway
    private let configuration: SimulatorConfiguration
    private let logger: Logger
    private let page: InboxPage
    private let onListening: @Sendable (Int) async -> Void

    /// A simulator that listens once it runs.
    ///
    /// - Parameter onListening: called with the port.
    /// - Throws: when the inbox page's files are not beside the program.
    package init(
        configuration: SimulatorConfiguration, logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) throws {
        self.configuration = configuration
        self.logger = logger
        self.onListening = onListening
        page = try InboxPage()
        gateway = Gateway(account: configuration.account, capacity: configuration.capacity)
        gateway.setReporting(configuration.reporting)
    }

    /// Serves until graceful shutdown.
    package func run() async throws {
        let router = Router(context: SimulatorContext.self)
        router.add(middleware: RouteMissing())
        ProviderRoutes(gateway: gateway).add(to: router)
        ControlRoutes(gateway: gateway).add(to: router)
        ControlForms(gateway: gateway).add(to: router)
        InboxRoutes(gateway: gateway, page: page).add(to: router)
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port), serverName: nil),
            onServerRunning: { await onListening($0.localAddress?.port ?? 0) }, logger: logger)
        // Reports go to a service on this machine, or beside it in a network of containers.
        let client = HTTPClient(
            configuration: HTTPClientConfiguration(plainHTTPHosts: ["otp-service", "host.docker.internal"]),
            logger: logger)
        let sender = ReportSender(gateway: gateway, client: client, logger: logger)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [client, sender, application], logger: logger))
        try await group.run()
    }
}

/// Runs a simulator on a free port while `body` runs, and ends it afterwards.
///
/// - Parameter body: gets the base URL (`http://127.0.0.1:54321`) and the gateway.
package func withMSG91Simulator<Result: Sendable>(
    _ configuration: SimulatorConfiguration = SimulatorConfiguration(), logger: Logger = Logger(label: "msg91"),
    _ body: @escaping @Sendable (_ baseURL: String, _ gateway: Gateway) async throws -> Result
) async throws -> Result {
    let (ports, listening) = AsyncStream<Int>.makeStream()
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .warning)
    let simulator = try MSG91Simulator(configuration: configuration, logger: quiet) { listening.yield($0) }
    let services = ServiceGroup(
        configuration: ServiceGroupConfiguration(services: [simulator], logger: quiet))
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            defer { listening.finish() }
            try await services.run()
        }
        var iterator = ports.makeAsyncIterator()
        guard let port = await iterator.next() else {
            try await group.waitForAll()
            throw CancellationError()
        }
        let result: Result
        do {
            result = try await body("http://127.0.0.1:\(port)", simulator.gateway)
        } catch {
            await services.triggerGracefulShutdown()
            throw error
        }
        await services.triggerGracefulShutdown()
        try await group.waitForAll()
        return result
    }
}
