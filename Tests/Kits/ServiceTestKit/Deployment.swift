import Foundation
import Logging
package import PostgresTestKit

/// The three services and the simulator, as processes on free ports against databases of their own.
package final class Deployment: Sendable {
    package enum Part: String, Sendable, CaseIterable {
        case otp = "otp-service"
        case user = "user-service"
        case admin = "admin-service"
        case simulator = "msg91-simulator"
    }

    package let cluster: TestCluster
    private let ports: [Part: Int]
    private let databases: [Part: String]
    private let extra: [String: String]
    private let secrets: [String: String]
    package let processes: Processes

    package actor Processes {
        private var running: [Part: ServiceProcess] = [:]
        package func set(_ part: Part, _ process: ServiceProcess) { running[part] = process }
        package func get(_ part: Part) throws -> ServiceProcess {
            guard let process = running[part] else { throw ServiceTestError("\(part.rawValue) was not started") }
            return process
        }
        package var all: [ServiceProcess] { Array(running.values) }
    }

    fileprivate init(environment: [String: String]) async throws {
        cluster = try TestCluster.shared.get()
        var ports: [Part: Int] = [:]
        var databases: [Part: String] = [:]
        let number = UInt32.random(in: 0...UInt32.max)
        for part in Part.allCases {
            ports[part] = try TestCluster.freePort()
            if part == .simulator { continue }
            let name = "e2e_\(part)_\(number)"
            try await cluster.execute("CREATE DATABASE \(name) TEMPLATE template0")
            databases[part] = name
        }
        self.ports = ports
        self.databases = databases
        extra = environment
        func secret() -> String { (0..<32).map { _ in String(format: "%02x", UInt8.random(in: 0...255)) }.joined() }
        secrets = [
            "JWT_SECRET_KEY": secret(), "OTP_SECRET_KEY": secret(), "MSG91_AUTH_KEY": "key" + secret().prefix(20),
            "MSG91_TEMPLATE_ID": "0123456789abcdef01234567",
        ]
        processes = Processes()
    }

    package func port(_ part: Part) -> Int { ports[part] ?? 0 }
    package func api(_ part: Part) -> API { API(port: port(part)) }
    package func database(_ part: Part) -> String { databases[part] ?? "" }
    package var jwtSecret: String { secrets["JWT_SECRET_KEY"] ?? "" }
    /// What must never appear in a log.
    package var secretValues: [String] { Array(secrets.values).filter { $0 != secrets["MSG91_TEMPLATE_ID"] } }

    /// Runs a script in a service's database.
    @discardableResult
    package func execute(_ script: String, in part: Part) async throws -> [String?] {
        try await cluster.execute(script, in: database(part))
    }

    package func environment(_ part: Part, databaseURL: String? = nil) -> [String: String] {
        var all = secrets
        all["HOST"] = "127.0.0.1"
        all["PORT"] = "\(port(part))"
        all["DATABASE_URL"] = databaseURL ?? cluster.url(database(part))
        all["DATABASE_POOL_SIZE"] = "8"
        all["LOG_FORMAT"] = "json"
        all["MSG91_BASE_URL"] = "http://127.0.0.1:\(port(.simulator))"
        all["USER_SERVICE_URL"] = "http://127.0.0.1:\(port(.user))"
        all["OTP_SERVICE_URL"] = "http://127.0.0.1:\(port(.otp))"
        all["TRUSTED_PROXIES"] = "127.0.0.0/8,::1/128"
        all["OTP_SENDS_PER_NETWORK"] = "10000/300"
        all["OTP_REQUESTS_PER_NETWORK"] = "100000/300"
        all["OTP_REQUESTS_PER_NETWORK"] = "100000/300"
        all["DEFAULT_REGION"] = "IN"
        return all.merging(extra) { $1 }
    }

    /// Runs a command of a service to its end and returns exit code and output.
    package func run(_ part: Part, _ arguments: String...) async throws -> (code: Int32, output: String) {
        let process = try ServiceProcess(part.rawValue, arguments: arguments, environment: environment(part))
        let code = try await process.exitCode()
        defer { try? FileManager.default.removeItem(atPath: process.logFile) }
        return (code, process.log)
    }

    /// Starts a part and waits until it is ready (the simulator: until it is alive).
    @discardableResult
    package func start(
        _ part: Part, databaseURL: String? = nil, waitUntilReady: Bool = true
    ) async throws -> ServiceProcess {
        let process = try ServiceProcess(
            part.rawValue, environment: environment(part, databaseURL: databaseURL), port: port(part))
        await processes.set(part, process)
        if waitUntilReady {
            do {
                try await api(part).wait(for: part == .simulator ? "/health/live" : "/health/ready", status: 200)
            } catch { throw ServiceTestError("\(error)\n\(process.log)") }
        }
        return process
    }

    fileprivate func tearDown(keepLogs: Bool) async throws {
        for process in await processes.all {
            if process.isRunning { try await process.crash() }
            if !keepLogs { try? FileManager.default.removeItem(atPath: process.logFile) }
        }
        for name in databases.values { try await cluster.execute("DROP DATABASE IF EXISTS \(name) WITH (FORCE)") }
    }
}

/// Migrates three fresh databases with the services' own `migrate`, starts the parts, and takes everything down.
package func withDeployment<Value: Sendable>(
    _ parts: [Deployment.Part] = Deployment.Part.allCases, environment: [String: String] = [:],
    _ body: (Deployment) async throws -> Value
) async throws -> Value {
    let deployment = try await Deployment(environment: environment)
    do {
        for part in parts where part != .simulator {
            let (code, output) = try await deployment.run(part, "migrate")
            guard code == 0 else { throw ServiceTestError("\(part.rawValue) migrate failed: \(output)") }
        }
        for part in parts.sorted(by: { $0 == .simulator && $1 != .simulator }) { try await deployment.start(part) }
        let value = try await body(deployment)
        try await deployment.tearDown(keepLogs: false)
        return value
    } catch {
        try? await deployment.tearDown(keepLogs: true)
        throw error
    }
}
