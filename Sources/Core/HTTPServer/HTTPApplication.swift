import HTTPTypes
import Hummingbird
import HummingbirdCore
package import Logging
import Metrics
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Where a server listens and what it takes.
package struct HTTPServerConfiguration: Sendable {
    /// The address to listen on.
    package var host: String
    /// The port to listen on; 0 takes a free one.
    package var port: Int
    package var problems: ProblemCatalog
    /// The proxies whose `X-Forwarded-For` is believed.
    package var trustedProxies: [AddressRange]
    package var limits = ConnectionLimits()
    /// The most connections at a time; more wait to be accepted. Also bounded by the file descriptors of the process.
    package var maximumConnections = 10_000
    /// The most requests being answered at a time; more get 503.
    package var maximumRequestsInFlight = 2048

    package init(host: String, port: Int, problems: ProblemCatalog, trustedProxies: [AddressRange] = []) {
        self.host = host
        self.port = port
        self.problems = problems
        self.trustedProxies = trustedProxies
    }
}

/// Why a server could not begin to listen, in a sentence.
package struct ListenFailure: Error, CustomStringConvertible {
    package let description: String
}

/// One service's HTTP server, as a `Service`.
///
/// On graceful shutdown it stops accepting, tells the clients of running requests that the connection ends, waits for
/// those requests, and returns; no connection keeps it longer than twenty seconds.
package struct HTTPApplication: Service {
    private let configuration: HTTPServerConfiguration
    private let pipeline: RequestPipeline
    private let logger: Logger
    private let onListening: @Sendable (Int) async -> Void

    /// - Parameters:
    ///   - readiness: what `/health/ready` asks.
    ///   - openAPI: the text of the OpenAPI file.
    ///   - metrics: the text for `/metrics`.
    ///   - translate: the problem that an error of another module stands for; nil makes it a 500 that is logged.
    ///   - present: how a problem is shown to those who read pages instead of documents.
    ///   - accessLog: where access records go; nil makes log lines of them.
    ///   - onListening: called with the port once connections are accepted.
    ///   - routes: adds the service's routes. What it throws is thrown.
    package init(
        configuration: HTTPServerConfiguration, logger: Logger, readiness: [HealthCheck] = [], openAPI: String? = nil,
        metrics: @escaping @Sendable () -> String = { "" },
        translate: @escaping @Sendable (any Error) -> Problem? = { _ in nil },
        present: @escaping ProblemPresentation = { _, _, _ in nil }, accessLog: AccessLog? = nil,
        onListening: @escaping @Sendable (Int) async -> Void = { _ in }, routes: (PostkeyRouter) throws -> Void
    ) throws {
        self.configuration = configuration
        self.logger = logger
        self.onListening = onListening
        let state = ServingState()
        let router = PostkeyRouter(context: PostkeyRequestContext.self, options: .autoGenerateHeadEndpoints)
        let inFlight = Gauge(label: "http_requests_in_flight")
        OperationRoutes(
            readiness: Readiness(readiness), state: state, openAPI: openAPI, prefix: configuration.problems.prefix,
            metrics: {
                inFlight.record(state.requestsInFlight)
                return metrics()
            }
        ).add(to: router)
        configuration.problems.addPages(to: router)
        try routes(router)
        let responder = router.buildResponder()
        let table = router.routes
        pipeline = RequestPipeline(
            responder: responder, allowed: AllowTable(routes: table.map { ($0.path, $0.method) }),
            problemPrefix: configuration.problems.prefix, trustedProxies: configuration.trustedProxies,
            maximumRequestsInFlight: configuration.maximumRequestsInFlight, translate: translate, present: present,
            state: state,
            metrics: RequestMetrics(routes: table.map { ($0.path.description, $0.method) }),
            accessLog: accessLog ?? logger.accessLog(), logger: logger)
    }

    /// Listens and answers until graceful shutdown. Throws `ListenFailure` if it cannot listen.
    package func run() async throws {
        // Hummingbird's own lines would say what ours say already.
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let connections = min(configuration.maximumConnections, FileDescriptors.raiseLimit() - 256)
        let server = ServerChannel(limits: configuration.limits, pipeline: pipeline).server(
            configuration: ServerConfiguration(
                address: .hostname(configuration.host, port: configuration.port), backlog: 1024,
                availableConnectionsDelegate: MaximumAvailableConnections(max(connections, 64), logger: quiet)),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? configuration.port
                logger.notice("Listening", metadata: ["host": "\(configuration.host)", "port": "\(port)"])
                await onListening(port)
            }, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quiet)
        do {
            try await withGracefulShutdownHandler {
                try await server.run()
            } onGracefulShutdown: {
                pipeline.state.startDraining()
            }
        } catch let error as IOError {
            throw failure(error)
        } catch is SocketAddressError.UnknownHost {
            throw ListenFailure(description: "Cannot listen on \(configuration.host): there is no such address.")
        }
    }

    private func failure(_ error: IOError) -> ListenFailure {
        let place = "\(configuration.host), port \(configuration.port)"
        let reason =
            switch error.errnoCode {
            case EADDRINUSE: "the port is in use by another program"
            case EACCES: "this user may not use that port"
            case EADDRNOTAVAIL: "this machine has no such address"
            default: String(cString: strerror(error.errnoCode))
            }
        return ListenFailure(description: "Cannot listen on \(place): \(reason).")
    }
}
