import Foundation
import HTTPClient
@testable import HTTPServer
import HTTPTypes
import Hummingbird
import Identity
import Logging
import Synchronization
import Testing
import Tokens

@testable import ChangeFeed

/// user-service, as far as others follow it; what it answers is set by the test.
private final class Stub: Sendable {
    struct State {
        var status = 200
        var changes: [String] = []
        var keys: [PublicTokenKey] = []
        var reset = false
        /// Whether each answer says that there is more.
        var more = false
        var cursors: [String?] = []
        var keyRequests = 0
    }

    let state = Mutex(State())

    func set(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }

    func add(to router: PostkeyRouter) {
        router.get("/internal/changes") { request, _ in
            let cursor = try request.query.string("cursor")
            if cursor != nil { try await Task.sleep(for: .milliseconds(30)) }
            let (status, text) = self.state.withLock { state -> (Int, String) in
                state.cursors.append(cursor)
                if state.status != 200 { return (state.status, "") }
                defer { (state.changes, state.reset) = ([], false) }
                return (
                    200,
                    #"{"changes":[\#(state.changes.joined(separator: ","))],"cursor":"c\#(state.cursors.count)","more":\#(state.more),"reset":\#(state.reset),"waited_ms":30}"#
                )
            }
            if status == 400 { throw Problem.invalid("cursor", "must be a cursor") }
            if status != 200 { throw Problem(.serviceUnavailable, retryAfter: 1) }
            return Response.json(.ok, text: text)
        }
        router.get("/.well-known/jwks.json") { _, _ in
            let text = self.state.withLock { state in
                state.keyRequests += 1
                return state.keys.map(\.jwk).joined(separator: ",")
            }
            return Response.json(.ok, text: #"{"keys":[{"kty":"RSA","n":"x","e":"AQAB"},\#(text)]}"#)
        }
    }

    /// Serves for the time of `body`.
    static func run(_ body: @escaping @Sendable (Stub, UserServiceClient) async throws -> Void) async throws {
        let stub = Stub()
        let logger = Logger(label: "stub") { _ in SwiftLogNoOpLogHandler() }
        let (ports, listening) = AsyncStream<Int>.makeStream()
        let server = try HTTPApplication(
            configuration: HTTPServerConfiguration(
                host: "127.0.0.1", port: 0, problems: ProblemCatalog(prefix: "/v1/auth", types: [])),
            logger: logger, onListening: { listening.yield($0) }, routes: stub.add)
        let keys = TokenKeys(current: Secret(bytes: Array("vT9#kq2!xLw8@zRm4$Bn7^Yd1&Hs5*Jf".utf8)), previous: nil)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            for await port in ports {
                let client = HTTPClient(configuration: HTTPClientConfiguration(), logger: logger)
                try await body(
                    stub,
                    UserServiceClient(
                        client: client, baseURL: "http://127.0.0.1:\(port)", caller: .otp,
                        signer: TokenSigner(keys: keys)))
                break
            }
            group.cancelAll()
            while let result = await group.nextResult() { _ = result }
        }
    }
}

private let quiet = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }

/// Waits until something is so; false if it is not within twenty seconds.
private func becomes(_ condition: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<1000 {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(20))
    }
    return false
}

@Suite("A follower of the feed", .timeLimit(.minutes(1)))
struct FollowerTests {
    @Test("loads, follows, goes on where it was after a failure, and tells who changed")
    func follows() async throws {
        try await Stub.run { stub, client async throws in
            let told = Mutex<[ChangedUsers]>([])
            let follower = ChangeFollower(userService: client, logger: quiet) { users in
                told.withLock { $0.append(users) }
            }
            let user = UserID()
            let token = AccessToken(
                userID: user, sessionID: SessionID(), id: .version7(), issuedAt: Date(), expiresAt: Date() + 900)
            #expect(follower.revocations.standing(of: token) == .unknown)
            let running = Task { try await follower.run() }
            #expect(try await becomes { follower.revocations.standing(of: token) == .live })
            let end = Timestamp.text(token.expiresAt)
            stub.set { state in
                state.changes = [
                    #"{"kind":"session-ended","user_id":"\#(user)","session_id":"\#(token.sessionID)","expires_at":"\#(end)"}"#
                ]
            }
            #expect(try await becomes { follower.revocations.standing(of: token) == .revoked })
            #expect(try await becomes { told.withLock { $0 } == [.some([user])] })
            #expect(try await becomes { follower.revocations.age().map { $0 < .seconds(1) } == true })

            stub.set { $0.status = 503 }
            let before = stub.state.withLock { $0.cursors.count }
            #expect(try await becomes { stub.state.withLock { $0.cursors.count } > before + 2 })
            let asked = stub.state.withLock { $0.cursors.suffix(2) }
            #expect(Set(asked).count == 1 && asked.first != .some(nil))
            stub.set { state in
                state.status = 200
                state.reset = true
            }
            #expect(try await becomes { told.withLock { $0.last } == .all })
            // A cursor that is refused is forgotten.
            stub.set { $0.status = 400 }
            #expect(try await becomes { stub.state.withLock { $0.cursors.suffix(2).contains(nil) } })
            running.cancel()
            _ = try? await running.value
        }
    }

    @Test("a part of the state is no state: nothing is judged by it until the last page has come")
    func pages() async throws {
        try await Stub.run { stub, client async throws in
            let follower = ChangeFollower(userService: client, logger: quiet)
            let token = AccessToken(
                userID: UserID(), sessionID: SessionID(), id: .version7(), issuedAt: Date(), expiresAt: Date() + 900)
            stub.set { $0.more = true }
            let running = Task { try await follower.run() }
            #expect(try await becomes { stub.state.withLock { $0.cursors.count } >= 4 })
            #expect(follower.revocations.standing(of: token) == .unknown)
            #expect(follower.revocations.age() == nil)
            #expect(await !follower.readiness.passes())
            stub.set { $0.more = false }
            #expect(try await becomes { follower.revocations.standing(of: token) == .live })
            #expect(try await passes(follower))
            running.cancel()
            _ = try? await running.value
        }
    }

    @Test("is ready without user-service, once that is known")
    func away() async throws {
        try await Stub.run { stub, client async throws in
            let follower = ChangeFollower(userService: client, logger: quiet)
            #expect(await !follower.readiness.passes())
            stub.set { $0.status = 503 }
            let running = Task { try await follower.run() }
            #expect(try await passes(follower))
            #expect(follower.revocations.age() == nil)
            running.cancel()
            _ = try? await running.value
        }
    }

    private func passes(_ follower: ChangeFollower) async throws -> Bool {
        for _ in 0..<500 {
            if await follower.readiness.passes() { return true }
            try await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    @Test("a revocation that cannot be read is not passed over")
    func unreadable() async throws {
        try await Stub.run { stub, client async throws in
            let follower = ChangeFollower(userService: client, logger: quiet)
            stub.set { $0.changes = [#"{"kind":"token-revoked","token_hash":"zz"}"#] }
            let running = Task { try await follower.run() }
            let token = AccessToken(
                userID: UserID(), sessionID: SessionID(), id: .version7(), issuedAt: Date(), expiresAt: Date() + 900)
            // What came with it is not believed either: it asks again from nothing, and knows nothing until that is read.
            #expect(try await becomes { stub.state.withLock { $0.cursors.count } >= 2 })
            #expect(stub.state.withLock { $0.cursors.prefix(2).allSatisfy { $0 == nil } })
            #expect(try await becomes { follower.revocations.standing(of: token) == .live })
            running.cancel()
            _ = try? await running.value
        }
    }

    @Test("JWT-19: unknown keys are asked for, seldom, and what goes away is noticed")
    func keys() async throws {
        try await Stub.run { stub, client async throws in
            let first = try #require(
                PublicTokenKey(bytes: Array(try Self.bytes("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"))))
            stub.set { $0.keys = [first] }
            let source = PublishedKeys(userService: client, logger: quiet)
            #expect(await source.keys(for: first.id) == [first])
            #expect(await source.keys(for: nil) == [first])
            for index in 0..<50 { #expect(await source.keys(for: "no such key \(index)").isEmpty) }
            #expect(stub.state.withLock { $0.keyRequests } == 1)
            let generation = source.generation
            stub.set { $0.keys = [] }
            let running = Task { try await source.run() }
            #expect(try await becomes { await source.keys(for: first.id).isEmpty })
            #expect(source.generation == generation + 1)
            running.cancel()
            _ = try? await running.value
        }
    }

    private static func bytes(_ text: String) throws -> [UInt8] { try #require(Base64URL.decode(text.utf8)) }

    @Test("USER_SERVICE_URL is a scheme, a host and maybe a port")
    func url() {
        #expect(UserServiceURL("http://user-service:8082/")?.text == "http://user-service:8082")
        #expect(UserServiceURL("http://user-service:8082")?.host == "user-service")
        #expect(UserServiceURL("https://[::1]:1")?.host == "[::1]")
        for text in ["", "user-service", "ftp://a", "http://", "http://a/b", "http://a:b", "http://u@a", "http://a?x"] {
            #expect(UserServiceURL(text) == nil)
        }
    }
}
