import Foundation
import HTTPClient
import HTTPServer
import Identity
import Logging
import Postgres
import PostgresTestKit
import ServiceLifecycle
import ServiceRuntime
import ServiceTestKit
import Synchronization
import Testing
import Tokens

@testable import UserService

/// The published contract, which every answer of these tests is held to.
let userContract = Result { try APIContract(UserService.openAPI()) }

/// user-service over HTTP, with a database of its own.
struct UserServer: Sendable {
    static let secret = Secret(bytes: Array("vT9#kq2!xLw8@zRm4$Bn7^Yd1&Hs5*Jf".utf8))
    static let keys = TokenKeys(current: secret, previous: nil)
    static let phone = "+919876543210"

    let database: TestDatabase
    let client: HTTPClient
    let baseURL: String
    var signer = TokenSigner(keys: keys)
    /// The service's own.
    var verifier = TokenVerifier(keys: keys)

    struct Answer: Sendable {
        let status: Int
        let headers: [(String, String)]
        let text: String

        func header(_ name: String) -> String? { headers.first { $0.0.lowercased() == name.lowercased() }?.1 }
        var object: [String: Any] {
            (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] ?? [:]
        }
        func string(_ name: String) -> String? { object[name] as? String }
        func integer(_ name: String) -> Int? { object[name] as? Int }
        var code: String? { string("code") }
        var user: [String: Any] { object["user"] as? [String: Any] ?? [:] }
        var accessToken: String { string("access_token") ?? "" }
        var refreshToken: String { string("refresh_token") ?? "" }
    }

    func send(
        _ method: String, _ path: String, token: String? = nil, body: String? = nil, headers: [(String, String)] = []
    ) async throws -> Answer {
        var headers = headers
        if let token { headers.append(("Authorization", "Bearer \(token)")) }
        if body != nil, !headers.contains(where: { $0.0 == "Content-Type" }) {
            headers.append(("Content-Type", "application/json"))
        }
        let response = try await client.send(
            HTTPClientRequest(method: method, url: baseURL + path, headers: headers, body: body.map { Array($0.utf8) }),
            timeout: .seconds(10))
        try userContract.get().check(
            method, path, status: response.status, headers: response.headers, body: response.body)
        return Answer(
            status: response.status, headers: response.headers, text: String(decoding: response.body, as: UTF8.self))
    }

    /// A proof of a phone, as otp-service would sign it.
    func proof(
        _ phone: String = phone, purpose: Purpose = .signIn, challenge: ChallengeID = ChallengeID(), life: Double = 300
    ) async throws -> String {
        let token = VerificationToken(
            subject: try #require(PhoneNumber(e164: phone)), purpose: purpose, challengeID: challenge,
            expiresAt: Date() + life)
        return try signer.sign(token, now: Date())
    }

    func login(_ proof: String) async throws -> Answer {
        try await send("POST", "/v1/auth/login", body: #"{"verification_token":"\#(proof)"}"#)
    }

    /// Signs in with a fresh proof.
    func login(phone: String = phone) async throws -> Answer {
        let answer = try await login(try await proof(phone))
        #expect(answer.status == 200 || answer.status == 201, "\(answer.text)")
        return answer
    }

    func refresh(_ token: String) async throws -> Answer {
        try await send("POST", "/v1/auth/refresh", body: #"{"refresh_token":"\#(token)"}"#)
    }

    func logout(_ token: String, everywhere: Bool = false) async throws -> Answer {
        try await send("POST", "/v1/auth/logout", token: token, body: everywhere ? #"{"everywhere":true}"# : nil)
    }

    /// Asks as another service of ours.
    func ask(
        _ path: String, method: String = "GET", as service: ServiceName = .otp, body: String? = nil,
        headers: [(String, String)] = []
    ) async throws -> Answer {
        let now = Date()
        let token = try TokenSigner(keys: UserServer.keys).sign(
            ServiceToken(service: service, audience: .user, expiresAt: now + 60), now: now)
        return try await send(method, path, token: token, body: body, headers: headers)
    }

    /// Sends a form.
    func form(_ path: String, _ fields: String, asService: Bool = false) async throws -> Answer {
        let type = [("Content-Type", "application/x-www-form-urlencoded")]
        if asService { return try await ask(path, method: "POST", body: fields, headers: type) }
        return try await send("POST", path, body: fields, headers: type)
    }

    /// All that the feed has from a cursor on, and the next cursor.
    func changes(_ cursor: String? = nil, wait: Int = 0) async throws -> (changes: [[String: Any]], cursor: String) {
        var all: [[String: Any]] = []
        var cursor = cursor
        while true {
            let query = cursor.map { "?cursor=\($0)&wait=\(all.isEmpty ? wait : 0)" } ?? ""
            let answer = try await ask("/internal/changes" + query)
            #expect(answer.status == 200, "\(answer.text)")
            all += answer.object["changes"] as? [[String: Any]] ?? []
            cursor = answer.string("cursor")
            if answer.object["more"] as? Bool != true { return (all, cursor ?? "") }
        }
    }

    func me(_ token: String) async throws -> Answer { try await send("GET", "/v1/users/me", token: token) }

    /// Lets time pass for everything that the database knows.
    func advance(_ seconds: Int) async throws { try await UserServer.advance(database, Double(seconds)) }

    static func advance(_ database: TestDatabase, _ seconds: Double) async throws {
        _ = try await database.client.write(
            """
            with step as (select make_interval(secs => \(seconds)) as step), shifted as (
                update sessions set created_at = created_at - step, rotated_at = rotated_at - step,
                    idle_expires_at = idle_expires_at - step, ended_at = ended_at - step,
                    absolute_expires_at = absolute_expires_at - step
                from step
            )
            update users set created_at = created_at - step, sign_in_not_before = sign_in_not_before - step from step
            """)
    }

    func count(_ query: PostgresQuery) async throws -> Int {
        try #require(try await database.client.read(query).first).decode((Int).self)
    }
}

let testAddress = ClientAddress(IPAddress(v4: 0xCB00_7109))

let quietLogger: Logger = {
    var logger = Logger(label: "tests")
    logger.logLevel = .critical
    return logger
}()

/// Gives `body` a database with the schema of this service.
func withUserDatabase(_ body: (TestDatabase) async throws -> Void) async throws {
    try await withTestDatabase(migrations: UserService.migrationsDirectory, timing: .patient) { try await body($0) }
}

/// Runs user-service until `body` returns.
func withUserServer(
    keys: TokenKeys = UserServer.keys, limits: SessionLimits = SessionLimits(), accessKeys: AccessKeyPair? = nil,
    _ body: @escaping @Sendable (UserServer) async throws -> Void
) async throws {
    try await withUserDatabase { database in
        try await serve(database, database.client, keys: keys, limits: limits, accessKeys: accessKeys, body)
    }
}

/// Runs user-service on a database until `body` returns.
func serve(
    _ database: TestDatabase, _ postgres: PostgresClient, keys: TokenKeys = UserServer.keys,
    limits: SessionLimits = SessionLimits(), accessKeys: AccessKeyPair? = nil, runsSignal: Bool = true,
    _ body: @escaping @Sendable (UserServer) async throws -> Void
) async throws {
    let client = HTTPClient(configuration: HTTPClientConfiguration(), logger: quietLogger)
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    let signal = ChangeSignal(postgres: postgres, logger: quietLogger)
    let assembly = UserAssembly(
        postgres: postgres, keys: keys, limits: limits, accessKeys: accessKeys, signal: signal, logger: quietLogger)
    let application = try HTTPApplication(
        configuration: HTTPServerConfiguration(host: "127.0.0.1", port: 0, problems: UserService.problems),
        logger: quietLogger, translate: { ($0 as? PostgresError).flatMap(Problem.init) },
        onListening: { port.yield($0) }, routes: assembly.add)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await application.run() }
        if runsSignal { group.addTask { try await signal.run() } }
        for await port in ports {
            try await body(
                UserServer(
                    database: database, client: client, baseURL: "http://127.0.0.1:\(port)",
                    signer: TokenSigner(keys: keys), verifier: assembly.verifier))
            break
        }
        group.cancelAll()
        while let result = await group.nextResult() { _ = result }
    }
}

/// Does the same many times at once and returns what each gave.
func atOnce<Value: Sendable>(
    _ times: Int, _ body: @escaping @Sendable (Int) async throws -> Value
) async throws -> [Value] {
    try await withThrowingTaskGroup(of: Value.self) { group in
        for index in 0..<times { group.addTask { try await body(index) } }
        var values: [Value] = []
        for try await value in group { values.append(value) }
        return values
    }
}
