import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing

@testable import AdminService

@Suite("Actions on users and destinations", .timeLimit(.minutes(2)))
struct ActionRouteTests {
    static let path = "/v1/admin/users/\(StubService.userID)"
    static let reason = #"{"reason":"  lost phone "}"#

    /// `action before after outcome failure reason` of the acts, oldest first.
    static func acts(_ server: AdminServer) async throws -> [String] {
        try await server.database.test.client.read(
            """
            SELECT concat_ws('|', action, target_kind, before, after, outcome, failure, reason) FROM audit_log
             WHERE action LIKE 'user.%' OR action LIKE 'destination.%' ORDER BY at, id
            """
        ).map { try $0.decode((String).self) }
    }

    @Test(
        "ADM-18: an act is done, has one audit row with before, after, reason, address and request, and is seen at once"
    )
    func suspends() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.support)
            _ = try await server.send("GET", Self.path, token: token)
            let answer = try await server.send(
                "POST", "\(Self.path)/suspend", token: token, body: Self.reason, headers: [("X-Request-Id", "r-1")])
            #expect(answer.status == 200 && answer.string("status") == "suspended", "\(answer.text)")
            #expect(answer.string("phone") == "+9198*****210")
            #expect(try await Self.acts(server) == ["user.suspended|user|active|suspended|done|lost phone"])
            #expect(server.users.done == ["users/\(StubService.userID)/suspend"])
            let row = try #require(
                try await server.database.test.client.read(
                    "SELECT request_id, address, actor FROM audit_log WHERE action = 'user.suspended'"
                ).first)
            let (request, address, actor) = try row.decode((String, String, String).self)
            #expect(request == "r-1" && address == "127.0.0.1" && actor == "admin")
            let page = try await server.send("GET", "/v1/admin/users", token: token)
            #expect(page.json("users", 0, "status") as? String == "suspended")
        }
    }

    @Test("ADM-18: an answer that is lost makes no second row: the act is finished later, and done once")
    func lostAnswer() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.support)
            func status() async throws -> String? {
                try await server.send("GET", Self.path, token: token).string("status")
            }
            #expect(try await status() == "active")
            server.users.loseAnswers(1)
            let answer = try await server.send("POST", "\(Self.path)/suspend", token: token, body: Self.reason)
            #expect(answer.status == 503 && answer.header("Retry-After") != nil)
            #expect(try await status() == "suspended", "it may have happened: what was remembered is not shown")
            #expect(try await Self.acts(server).isEmpty)
            var finish = server.assembly.finish
            finish.patience = 0
            #expect(try await finish.finish() == 1)
            #expect(try await finish.finish() == 0)
            #expect(try await Self.acts(server) == ["user.suspended|user|active|suspended|done|lost phone"])
            #expect(server.users.done.count == 1)
        }
    }

    @Test("an act that waits is finished before the next one on the same user, and never undoes it")
    func order() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.support)
            server.users.loseAnswers(1)
            #expect(
                try await server.send("POST", "\(Self.path)/suspend", token: token, body: Self.reason).status == 503)
            let next = try await server.send("POST", "\(Self.path)/reactivate", token: token, body: Self.reason)
            #expect(next.status == 200 && next.string("status") == "active", "\(next.text)")
            #expect(
                try await Self.acts(server) == [
                    "user.suspended|user|active|suspended|done|lost phone",
                    "user.reactivated|user|suspended|active|done|lost phone",
                ])
            #expect(server.users.done.count == 2)
        }
    }

    @Test("after an hour without an answer the audit row says that nobody knows")
    func hopeless() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.support)
            server.otp.become(.status(503))
            let path = "/v1/admin/destinations/IN/block"
            #expect(try await server.send("POST", path, token: token, body: Self.reason).status == 503)
            #expect(try await server.send("POST", path, token: token, body: Self.reason).status == 409)
            var finish = server.assembly.finish
            finish.patience = 0
            #expect(try await finish.finish() == 0)
            try await server.database.test.execute("UPDATE intents SET requested_at = now() - interval '61 min'")
            #expect(try await finish.finish() == 1)
            #expect(try await Self.acts(server) == ["destination.blocked|destination|unknown|lost phone"])
        }
    }

    @Test("the same Idempotency-Key does it once, another request with it is refused")
    func key() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.support)
            let key = [("Idempotency-Key", "form-1")]
            for _ in 0..<3 {
                let answer = try await server.send(
                    "POST", "\(Self.path)/sign-out", token: token, body: Self.reason, headers: key)
                #expect(answer.status == 200)
            }
            #expect(try await Self.acts(server).count == 1 && server.users.done.count == 1)
            let other = try await server.send(
                "POST", "\(Self.path)/suspend", token: token, body: Self.reason, headers: key)
            #expect(other.status == 422 && other.string("code") == "idempotency-key-reused")
            let bad = try await server.send(
                "POST", "\(Self.path)/suspend", token: token, body: Self.reason, headers: [("Idempotency-Key", "a b")])
            #expect(bad.status == 400)
        }
    }

    @Test("only a suspension wants a reason; an empty one is refused everywhere")
    func reasons() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.support)
            let block = "/v1/admin/destinations/IN/block"
            for path in ["\(Self.path)/reactivate", "\(Self.path)/sign-out", block, "\(Self.path)/suspend"] {
                #expect(try await server.send("POST", path, token: token, body: #"{"reason":" "}"#).status == 400)
            }
            #expect(try await server.send("POST", "\(Self.path)/suspend", token: token, body: "{}").status == 400)
            #expect(try await server.send("POST", "\(Self.path)/suspend", token: token).status == 415)
            #expect(try await Self.acts(server).isEmpty && server.users.done.isEmpty && server.otp.done.isEmpty)

            #expect(try await server.send("POST", "\(Self.path)/reactivate", token: token).status == 200)
            #expect(try await server.send("POST", "\(Self.path)/sign-out", token: token, body: "{}").status == 200)
            #expect(try await server.send("POST", block, token: token).status == 204)
            let reasons = try await server.database.test.execute("SELECT reason FROM intents")
            #expect(reasons == [nil, nil, nil])
        }
    }

    @Test("twenty at once on one user are done one after the other, each with its row")
    func parallelActs() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.support)
            let statuses = try await parallel(20) { _ in
                String(try await server.send("POST", "\(Self.path)/sign-out", token: token, body: Self.reason).status)
            }
            let done = statuses["200", default: 0]
            #expect(done >= 1 && statuses.keys.allSatisfy { ["200", "409"].contains($0) }, "\(statuses)")
            #expect(try await Self.acts(server).count == server.users.done.count)
            #expect(try await server.database.scalar("SELECT count(*) FROM intents WHERE state = 'pending'") == 0)
        }
    }

    @Test("a refusal has its row too; a missing user, a deleted one and a service that is away have none")
    func refusals() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.support)
            func suspend() async throws -> AdminServer.Answer {
                try await server.send("POST", "\(Self.path)/suspend", token: token, body: Self.reason)
            }
            server.users.setStatus("deleted")
            #expect(try await suspend().string("code") == "user-deleted")
            server.users.become(.status(404))
            #expect(try await suspend().status == 404)
            server.users.become(.status(503))
            #expect(try await suspend().status == 503)
            #expect(try await Self.acts(server).isEmpty)
            server.otp.become(.status(422))
            let refused = try await server.send(
                "POST", "/v1/admin/destinations/%2B91987/allow", token: token, body: Self.reason)
            #expect(refused.status == 409)
            #expect(try await Self.acts(server) == ["destination.allowed|destination|failed|user-deleted|lost phone"])
        }
    }

    @Test(
        "a reason is 1 to 500 characters that print",
        arguments: [
            #"{"reason":""}"#, #"{"reason":"   "}"#, #"{"reason":"a\u0007"}"#, #"{"reason":"a\u202Eb"}"#, "{}",
            #"{"reason":1}"#, #"{"reason":"x","more":1}"#, #"{"reason":"\#(String(repeating: "x", count: 501))"}"#,
        ])
    func reasons(body: String) async throws {
        try await withAdminServer { server in
            let token = try await server.token(.support)
            let answer = try await server.send("POST", "\(Self.path)/suspend", token: token, body: body)
            #expect(answer.status == 400)
            #expect(server.users.done.isEmpty)
        }
    }

    @Test(
        "ADM-23: odd ids and prefixes",
        arguments: [
            "users/..%2f..%2fadmin/suspend", "users/%00/suspend", "users/%7B\(StubService.userID)%7D/suspend",
            "users/0/suspend", "users/-1/suspend", "users/me/suspend", "destinations/%2B0/block",
            "destinations/in/block",
            "destinations/%2B91%20or%201/block", "destinations/%2B1234567890123456/block",
        ])
    func oddNames(path: String) async throws {
        try await withAdminServer { server in
            let token = try await server.token(.support)
            let answer = try await server.send("POST", "/v1/admin/\(path)", token: token, body: Self.reason)
            #expect([400, 404].contains(answer.status), "\(answer.status)")
            #expect(server.users.done.isEmpty && server.otp.done.isEmpty)
        }
    }

    @Test("ADM-21: a phone is revealed to whom it was recorded for, and to nobody else")
    func reveal() async throws {
        try await withAdminServer { server in
            let admin = try await server.database.enrol(.support)
            let user = try #require(UserID(StubService.userID))
            func reveal() async throws -> String {
                switch try await server.assembly.reveal(
                    user, reason: Reason("call back"), by: admin.id, origin: testOrigin, trace: nil)
                {
                case .phone(let phone): phone.e164
                case .notFound: "not found"
                case .away: "away"
                }
            }
            #expect(try await reveal() == "+919876543210")
            #expect(try await Self.acts(server) == ["user.phone_revealed|user|done|call back"])
            server.users.become(.status(404))
            #expect(try await reveal() == "not found")
            server.users.become(.answering)
            try await server.database.refuseRows()
            await #expect(throws: NotRecorded.self) { try await reveal() }
        }
    }
}
