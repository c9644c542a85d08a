import Foundation
import HTTPClient
import HTTPServer
import Identity
import Postgres
import PostgresTestKit
import ServiceLifecycle
import ServiceRuntime
import ServiceTestKit
import Synchronization
import Testing
import Tokens

@testable import AdminService

/// The published contract, which every answer of these tests is held to.
let adminContract = Result { try APIContract(AdminService.openAPI()) }

/// The problems behind errors, as the service itself finds them.
let translated: @Sendable (any Error) -> Problem? = { error in
    AdminProblems.problem(for: error, quietLogger) ?? (error as? PostgresError).flatMap(Problem.init)
}

/// admin-service over HTTP, with a database of its own and made-up neighbours.
struct AdminServer: Sendable {
    let database: AdminDatabase
    let users: StubService
    let otp: StubService
    let client: HTTPClient
    let assembly: AdminAssembly
    /// Makes another instance beside the one that serves: same database, same services, caches of its own.
    let another: @Sendable () -> AdminAssembly
    let baseURL: String
    let otpURL: String

    struct Answer: Sendable {
        let status: Int
        let headers: [(String, String)]
        let text: String

        func header(_ name: String) -> String? { headers.first { $0.0.lowercased() == name.lowercased() }?.1 }

        /// A value by its path: `json("users", 0, "phone")`.
        func json(_ path: Any...) -> Any? {
            var value = try? JSONSerialization.jsonObject(with: Data(text.utf8))
            for part in path {
                switch part {
                case let name as String: value = (value as? [String: Any])?[name]
                case let index as Int:
                    let list = value as? [Any] ?? []
                    value = list.indices.contains(index) ? list[index] : nil
                default: value = nil
                }
            }
            return value
        }

        func string(_ path: String...) -> String? {
            var value: Any? = json()
            for name in path { value = (value as? [String: Any])?[name] }
            return value as? String
        }
    }

    func send(
        _ method: String, _ path: String, token: String? = nil, body: String? = nil,
        headers: [(String, String)] = []
    ) async throws -> Answer {
        var headers = headers
        if let token { headers.append(("Authorization", "Bearer \(token)")) }
        if body != nil { headers.append(("Content-Type", "application/json")) }
        let response = try await client.send(
            HTTPClientRequest(
                method: method, url: baseURL + path, headers: headers, body: body.map { Array($0.utf8) }),
            timeout: .seconds(10))
        try adminContract.get().check(
            method, path, status: response.status, headers: response.headers, body: response.body)
        return Answer(
            status: response.status, headers: response.headers, text: String(decoding: response.body, as: UTF8.self))
    }

    func sign(_ proof: VerificationToken) async throws -> String {
        try TokenSigner(keys: AdminDatabase.keys).sign(proof, now: Date())
    }

    func login(_ proof: String, _ code: String) async throws -> Answer {
        try await send(
            "POST", "/v1/admin/login", body: #"{"verification_token":"\#(proof)","totp_code":"\#(code)"}"#)
    }

    /// Enrols an operator, signs them in over HTTP, and returns their access token.
    func token(_ role: Role, phone: String = "+919876543210") async throws -> String {
        let admin = try await database.enrol(role, phone: phone)
        let code = admin.totp.code(step: try await database.step())
        let answer = try await login(try await sign(database.proof(admin.phone)), code)
        return try #require(answer.string("access_token"), "\(answer.status) \(answer.text)")
    }
}

/// Runs admin-service with the given lives of its caches until `body` returns.
func withAdminServer(
    dashboardTTL: Duration = .seconds(60), usersTTL: Duration = .seconds(60), statesTTL: Duration? = nil,
    userServiceURL: String? = nil, isProduction: Bool = false,
    _ body: @escaping @Sendable (AdminServer) async throws -> Void
) async throws {
    try await withAdminDatabase { database in
        try await serve(
            database, database.test.client, dashboardTTL: dashboardTTL, usersTTL: usersTTL,
            statesTTL: statesTTL, userServiceURL: userServiceURL, isProduction: isProduction, body)
    }
}

/// The same, on a way to the database where a connection can die at a commit.
func withAdminServerOnLossyLink(_ body: @escaping @Sendable (AdminServer, LossyLink) async throws -> Void) async throws
{
    try await withAdminDatabase { database in
        try await LossyLink.with(database.test) { link in
            try await serve(database, link.client) { try await body($0, link) }
        }
    }
}

private func serve(
    _ database: AdminDatabase, _ postgres: PostgresClient, dashboardTTL: Duration = .seconds(60),
    usersTTL: Duration = .seconds(60), statesTTL: Duration? = nil, userServiceURL: String? = nil,
    isProduction: Bool = false,
    _ body: @escaping @Sendable (AdminServer) async throws -> Void
) async throws {
    let users = StubService(.user)
    let otp = StubService(.otp)
    let client = HTTPClient(configuration: HTTPClientConfiguration(), logger: quietLogger)
    let ports = Ports()
    try await withThrowingTaskGroup(of: Void.self) { group in
        let usersApplication = try users.application { ports.set("users", $0) }
        let otpApplication = try otp.application { ports.set("otp", $0) }
        group.addTask { try await usersApplication.run() }
        group.addTask { try await otpApplication.run() }
        let usersPort = await ports.get("users")
        let otpPort = await ports.get("otp")
        var made = AdminSettings(
            userServiceURL: userServiceURL ?? "http://127.0.0.1:\(usersPort)",
            otpServiceURL: "http://127.0.0.1:\(otpPort)",
            dashboardTTL: dashboardTTL, usersTTL: usersTTL, secret: AdminDatabase.secret, defaultRegion: "IN")
        made.statesTTL = statesTTL ?? usersTTL
        let settings = made
        let another = { @Sendable in
            AdminAssembly(
                postgres: postgres, client: client, keys: AdminDatabase.keys, settings: settings,
                logger: quietLogger)
        }
        let assembly = another()
        let console = try Console(
            assembly: assembly, client: client, keys: AdminDatabase.keys, settings: settings,
            isProduction: isProduction)
        let application = try HTTPApplication(
            configuration: HTTPServerConfiguration(
                host: "127.0.0.1", port: 0, problems: AdminService.problems,
                trustedProxies: AddressRange("127.0.0.1").map { [$0] } ?? []),
            logger: quietLogger, translate: translated,
            present: console.present,
            onListening: { ports.set("admin", $0) },
            routes: { router in
                assembly.add(to: router)
                console.add(to: router)
            })
        group.addTask { try await application.run() }
        let adminPort = await ports.get("admin")
        let server = AdminServer(
            database: database, users: users, otp: otp, client: client, assembly: assembly,
            another: another, baseURL: "http://127.0.0.1:\(adminPort)", otpURL: settings.otpServiceURL)
        try await body(server)
        group.cancelAll()
        while let result = await group.nextResult() { _ = result }
    }
}

/// The ports that servers took, awaited by those who need them.
private final class Ports: Sendable {
    private let ports = Mutex<[String: Int]>([:])

    func set(_ name: String, _ port: Int) { ports.withLock { $0[name] = port } }

    func get(_ name: String) async -> Int {
        while !Task.isCancelled {
            if let port = ports.withLock({ $0[name] }) { return port }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return 0
    }
}

extension RequestTrace {
    static let forTests = RequestTrace(requestID: "test")
}
