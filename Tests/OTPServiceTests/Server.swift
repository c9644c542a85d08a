import Foundation
import HTTPClient
import HTTPServer
import Identity
import Logging
import MSG91Simulator
import Postgres
import PostgresTestKit
import ServiceLifecycle
import ServiceTestKit
import Synchronization
import Tokens

@testable import OTPService

/// The published contract, which every answer of these tests is held to.
let otpContract = Result { try APIContract(OTPService.openAPI()) }

/// otp-service in this process, on a database of its own, with the simulator as its gateway, over real HTTP.
struct OTPServer: Sendable {
    let database: TestDatabase
    let settings: OTPSettings
    let assembly: OTPAssembly
    let api: API
    let gateway: Gateway
    let log: MemoryLog
    let client: HTTPClient
    let signer = TokenSigner(keys: Keys.tokens)
    let verifier = TokenVerifier(keys: Keys.tokens)

    func send(_ phone: PhoneNumber, _ members: String = "", headers: [(String, String)] = []) async throws -> Answer {
        try await api.post("/v1/otp/send", #"{"phone":"\#(phone.e164)"\#(members)}"#, headers: headers)
    }

    /// Sends and returns the challenge's id; throws if it is refused.
    func challenge(_ phone: PhoneNumber, _ members: String = "") async throws -> String {
        let answer = try await send(phone, members)
        guard answer.status == 202, let id = answer.string("challenge_id") else { throw ServiceTestError(answer.text) }
        return id
    }

    func verify(_ challenge: String, _ code: String) async throws -> Answer {
        try await api.post("/v1/otp/verify", #"{"challenge_id":"\#(challenge)","code":"\#(code)"}"#)
    }

    /// Waits until the phone has `count` messages; their codes, newest first.
    func codes(_ phone: PhoneNumber, count: Int = 1, within limit: Duration = .seconds(10)) async throws -> [String] {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            let codes = gateway.messages(to: phone.digits).compactMap(\.otp)
            if codes.count >= count { return codes }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw ServiceTestError("\(count) messages did not come within \(limit)")
    }

    /// The codes that the gateway was asked to send to this phone, newest first.
    func asked(_ phone: PhoneNumber) -> [String] {
        gateway.requests().filter { $0.parameters["mobile"] == phone.digits }.compactMap { $0.parameters["otp"] }
    }

    /// Waits until the newest message of a challenge is in this state.
    func wait(for state: String, of challenge: String, within limit: Duration = .seconds(20)) async throws -> String {
        let end = ContinuousClock.now + limit
        var last: String?
        while ContinuousClock.now < end {
            let row = try await database.execute(
                "SELECT state || ' ' || coalesce(reason, '') FROM messages WHERE challenge_id = '\(challenge)' ORDER BY number DESC LIMIT 1"
            )
            last = row.first ?? nil
            if let last, last.hasPrefix(state) { return last }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw ServiceTestError("\(challenge) is \(last ?? "unknown"), not \(state)")
    }
}

/// Runs the service for the time of `body`.
///
/// - Parameters:
///   - baseURL: another gateway than the simulator.
///   - proxies: whose `X-Forwarded-For` is believed.
///   - databasePort: the service reaches its database over TCP at this port, where a test has put something between.
func withOTPServer<Value: Sendable>(
    _ environment: [String: String] = [:], baseURL: String? = nil, delivers: Bool = true,
    delivery: Dispatcher.Configuration = Dispatcher.Configuration(), gatewayTime: Duration = .seconds(7),
    proxies: String = "127.0.0.0/8", databasePort: Int? = nil,
    _ body: @escaping @Sendable (OTPServer) async throws -> Value
) async throws -> Value {
    try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
        let log = MemoryLog()
        let postgres = try databasePort.map { port in
            try PostgresClient(
                configuration: PostgresConfiguration(
                    url: database.cluster.tcpURL(database.name, port: port), applicationName: "tests", poolSize: 8),
                logger: Logger(label: "otp") { _ in log.handler })
        }
        let value = try await serve(
            database, postgres ?? database.client, log, environment, baseURL: baseURL, delivers: delivers,
            delivery: delivery, gatewayTime: gatewayTime, proxies: proxies, body)
        await postgres?.shutDown()
        return value
    }
}

/// The same, on a way to the database where a connection can die at a commit.
func withOTPServerOnLossyLink(
    delivers: Bool, _ body: @escaping @Sendable (OTPServer, LossyLink) async throws -> Void
) async throws {
    try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
        try await LossyLink.with(database) { link in
            try await serve(database, link.client, MemoryLog(), delivers: delivers) { try await body($0, link) }
        }
    }
}

private func serve<Value: Sendable>(
    _ database: TestDatabase, _ postgres: PostgresClient, _ log: MemoryLog, _ environment: [String: String] = [:],
    baseURL: String? = nil, delivers: Bool, delivery: Dispatcher.Configuration = Dispatcher.Configuration(),
    gatewayTime: Duration = .seconds(7), proxies: String = "127.0.0.0/8",
    _ body: @escaping @Sendable (OTPServer) async throws -> Value
) async throws -> Value {
    try await withMSG91Simulator { url, gateway in
        let settings = try Keys.settings(environment.merging(["MSG91_BASE_URL": baseURL ?? url]) { $1 })
        return try await withInstance(
            settings, postgres, Logger(label: "otp") { _ in log.handler }, delivers: delivers, delivery: delivery,
            gatewayTime: gatewayTime, proxies: proxies
        ) { assembly, api, client in
            try await body(
                OTPServer(
                    database: database, settings: settings, assembly: assembly, api: api, gateway: gateway, log: log,
                    client: client))
        }
    }
}

extension OTPServer {
    /// Another instance on the same database, gateway and keys, with connections of its own.
    func withAnotherInstance<Value: Sendable>(
        delivers: Bool = true, _ body: @escaping @Sendable (OTPServer) async throws -> Value
    ) async throws -> Value {
        let logger = Logger(label: "another") { [log] _ in log.handler }
        let postgres = try PostgresClient(
            configuration: PostgresConfiguration(url: database.url, applicationName: "another", poolSize: 8),
            logger: logger)
        let value = try await withInstance(settings, postgres, logger, delivers: delivers) { assembly, api, client in
            try await body(
                OTPServer(
                    database: database, settings: settings, assembly: assembly, api: api, gateway: gateway, log: log,
                    client: client))
        }
        await postgres.shutDown()
        return value
    }
}

/// Runs one instance for the time of `body`.
private func withInstance<Value: Sendable>(
    _ settings: OTPSettings, _ postgres: PostgresClient, _ logger: Logger, delivers: Bool,
    delivery: Dispatcher.Configuration = Dispatcher.Configuration(), gatewayTime: Duration = .seconds(7),
    proxies: String = "127.0.0.0/8",
    _ body: @escaping @Sendable (OTPAssembly, API, HTTPClient) async throws -> Value
) async throws -> Value {
    let client = HTTPClient(
        configuration: OTPService.gatewayClientConfiguration(settings.gateway, isProduction: false), logger: logger)
    let assembly = OTPAssembly(
        settings: settings, keys: Keys.tokens, postgres: postgres, client: client,
        userServiceClient: HTTPClient(configuration: HTTPClientConfiguration(), logger: logger), logger: logger,
        delivery: delivery, gatewayTime: gatewayTime)
    let (ports, listening) = AsyncStream<Int>.makeStream()
    var http = HTTPServerConfiguration(
        host: "127.0.0.1", port: 0, problems: OTPService.problems, trustedProxies: AddressRange.list(proxies).ranges)
    http.limits.largerBodies = DeliveryReportRoutes.largerBodies
    let server = try HTTPApplication(
        configuration: http, logger: logger, readiness: assembly.readiness, openAPI: try OTPService.openAPI(),
        translate: { ($0 as? PostgresError).map { _ in Problem(.serviceUnavailable, retryAfter: 1) } },
        onListening: { listening.yield($0) }, routes: assembly.add)
    let services: [any Service] = delivers ? [client] + assembly.services + [server] : [client, server]
    let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: logger))
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        var iterator = ports.makeAsyncIterator()
        guard let port = await iterator.next() else { throw ServiceTestError("no port") }
        let value = try await body(assembly, API(port: port, contract: try otpContract.get()), client)
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return value
    }
}

/// Keeps every log line.
final class MemoryLog: Sendable {
    private let lines = Mutex<[String]>([])

    var text: String { lines.withLock { $0.joined(separator: "\n") } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var handler: Handler { Handler(log: self) }

    struct Handler: LogHandler {
        let log: MemoryLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            log.add("\(event.level) \(event.message) \(metadata) \(event.metadata ?? [:])")
        }
    }
}
