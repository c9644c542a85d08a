import Foundation
import HTTPServer
import HTTPTypes
import Hummingbird
import Identity
import Logging
import ServiceTestKit
import Synchronization
import Testing
import Tokens

@testable import OTPService

/// user-service, as far as its feed goes: an answer that was lost is given again, by its cursor.
private final class FeedStub: Sendable {
    private let told = Mutex<[String]>([])
    /// Whether each answer is a page, and not the last.
    private let hasMore = Mutex(false)

    private let answers = Atomic(0)

    /// How many were given so far.
    var pages: Int { answers.load(ordering: .relaxed) }
    func setMore(_ value: Bool) { hasMore.withLock { $0 = value } }

    func tell(_ change: String) { told.withLock { $0.append(change) } }

    func run(_ body: @escaping @Sendable (FeedStub, String) async throws -> Void) async throws {
        let (ports, listening) = AsyncStream<Int>.makeStream()
        let server = try HTTPApplication(
            configuration: HTTPServerConfiguration(host: "127.0.0.1", port: 0, problems: OTPService.problems),
            logger: Logger(label: "stub"), onListening: { listening.yield($0) }
        ) { router in
            router.get("/internal/changes") { request, _ in
                let cursor = try request.query.string("cursor").flatMap { Int($0) }
                if cursor != nil { try await Task.sleep(for: .milliseconds(50)) }
                let told = self.told.withLock { $0 }
                let more = self.hasMore.withLock { $0 }
                let changes = told.dropFirst(cursor ?? 0)
                self.answers.add(1, ordering: .relaxed)
                return Response.json(
                    .ok,
                    text:
                        #"{"changes":[\#(changes.joined(separator: ","))],"cursor":"\#(told.count)","more":\#(more),"reset":false,"waited_ms":50}"#
                )
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            for await port in ports {
                try await body(self, "http://127.0.0.1:\(port)")
                break
            }
            group.cancelAll()
            while let result = await group.nextResult() { _ = result }
        }
    }
}

@Suite("Revoked tokens at otp-service", .timeLimit(.minutes(5)))
struct RevocationTests {
    @Test("SES-06: a token is refused after its revocation, its session's end or its user's mark")
    func revoked() async throws {
        try await FeedStub().run { stub, url in
            try await withOTPServer(["USER_SERVICE_URL": url]) { server in
                let now = Date()
                func text(_ token: AccessToken) async throws -> String { try server.signer.sign(token, now: now) }
                func token(user: UserID = UserID(), session: SessionID = SessionID()) -> AccessToken {
                    AccessToken(
                        userID: user, sessionID: session, id: .version7(), issuedAt: now, expiresAt: now + 900)
                }
                func ask(_ token: AccessToken) async throws -> Int {
                    let body = #"{"phone":"\#(PhoneNumber.fresh().e164)","purpose":"change_phone"}"#
                    return try await server.api.post("/v1/otp/send", body, token: try await text(token)).status
                }
                let tokens = (0..<4).map { _ in token() }
                func wait(for status: Int, _ token: AccessToken) async throws {
                    for _ in 0..<400 {
                        if try await ask(token) == status { return }
                        try await Task.sleep(for: .milliseconds(50))
                    }
                }
                try await wait(for: 202, tokens[0])
                for token in tokens { #expect(try await ask(token) == 202) }

                let hash = tokens[0].tokenHash.map { String(format: "%02x", $0) }.joined()
                let end = Timestamp.text(now + 900)
                stub.tell(#"{"kind":"token-revoked","token_hash":"\#(hash)","expires_at":"\#(end)"}"#)
                stub.tell(
                    #"{"kind":"session-ended","user_id":"\#(tokens[1].userID)","session_id":"\#(tokens[1].sessionID)","expires_at":"\#(end)"}"#
                )
                stub.tell(
                    #"{"kind":"user-not-before","user_id":"\#(tokens[2].userID)","not_before":"\#(Timestamp.text(now))"}"#
                )
                stub.tell(#"{"kind":"of-a-later-version","user_id":"\#(tokens[3].userID)"}"#)
                for token in tokens.prefix(3) {
                    // Within a second where the machine has time; the feed itself takes 50 ms here.
                    try await wait(for: 401, token)
                    // From then on always.
                    for _ in 0..<20 { #expect(try await ask(token) == 401) }
                }
                #expect(try await ask(tokens[3]) == 202)
                // A token of another session, and one issued after the mark.
                let other = AccessToken(
                    userID: tokens[2].userID, sessionID: SessionID(), id: .version7(), issuedAt: now + 1,
                    expiresAt: now + 900)
                #expect(try await ask(other) == 202)
            }
        }
    }

    @Test("is ready only when all revocations are there, and judges no token before; a code to sign in needs none")
    func readiness() async throws {
        try await FeedStub().run { stub, url in
            stub.setMore(true)
            try await withOTPServer(["USER_SERVICE_URL": url]) { server in
                let now = Date()
                let token = try server.signer.sign(
                    AccessToken(
                        userID: UserID(), sessionID: SessionID(), id: .version7(), issuedAt: now,
                        expiresAt: now + 900), now: now)
                func change() async throws -> Answer {
                    let body = #"{"phone":"\#(PhoneNumber.fresh().e164)","purpose":"change_phone"}"#
                    return try await server.api.post("/v1/otp/send", body, token: token)
                }
                // As long as pages come, however many.
                for _ in 0..<400 where stub.pages < 5 { try await Task.sleep(for: .milliseconds(50)) }
                for _ in 0..<5 {
                    let answer = try await server.api.get("/health/ready")
                    #expect(answer.status == 503 && answer.text.contains(#""revocations":"failed""#), "\(answer.text)")
                    try await Task.sleep(for: .milliseconds(20))
                }
                let unjudged = try await change()
                #expect(unjudged.status == 503 && unjudged.header("retry-after") != nil, "\(unjudged.text)")
                #expect(try await server.send(.fresh()).status == 202)
                stub.setMore(false)
                try await server.api.wait(for: "/health/ready", status: 200)
                #expect(try await change().status == 202)
            }
        }
    }
}
