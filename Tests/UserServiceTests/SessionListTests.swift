import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing
import Tokens

@testable import UserService

@Suite("/v1/users/me/sessions")
struct SessionListTests {
    private func list(_ server: UserServer, _ token: String) async throws -> [[String: Any]] {
        let answer = try await server.send("GET", "/v1/users/me/sessions", token: token)
        #expect(answer.status == 200, "\(answer.text)")
        return answer.object["sessions"] as? [[String: Any]] ?? []
    }

    private func end(_ server: UserServer, _ id: String, _ token: String) async throws -> Int {
        try await server.send("DELETE", "/v1/users/me/sessions/\(id)", token: token).status
    }

    @Test("lists the live sessions with where and when, newest first")
    func list() async throws {
        try await withUserServer { server in
            let first = try await server.login()
            let proof = try await server.proof()
            let second = try await server.send(
                "POST", "/v1/auth/login", body: #"{"verification_token":"\#(proof)","device_name":"Pixel"}"#)
            _ = try await server.login(phone: "+919876500000")
            let ended = try await server.login()
            _ = try await server.logout(ended.accessToken)
            let sessions = try await list(server, first.accessToken)
            #expect(sessions.count == 2)
            #expect(sessions.map { $0["current"] as? Bool } == [false, true])
            #expect(sessions.map { $0["device_name"] as? String } == ["Pixel", nil])
            #expect(sessions.allSatisfy { $0["address"] as? String == "127.0.0.1" })
            for name in ["id", "created_at", "last_used_at", "expires_at"] {
                #expect(sessions.allSatisfy { $0[name] is String })
            }
            #expect(try await list(server, second.accessToken).map { $0["current"] as? Bool } == [true, false])
            #expect(try await server.send("GET", "/v1/users/me/sessions", token: ended.accessToken).status == 401)
        }
    }

    @Test("SES-10: a user ends own sessions, and nobody else's")
    func ownOnly() async throws {
        try await withUserServer { server in
            let first = try await server.login()
            let second = try await server.login()
            let other = try await server.login(phone: "+919876500000")
            let otherID = try #require(try await list(server, other.accessToken).first?["id"] as? String)
            #expect(try await end(server, otherID, first.accessToken) == 404)
            #expect(try await end(server, "nonsense", first.accessToken) == 404)
            #expect(try await server.me(other.accessToken).status == 200)

            let sessions = try await list(server, first.accessToken)
            let secondID = try #require(sessions.first { $0["current"] as? Bool == false }?["id"] as? String)
            #expect(try await end(server, secondID, first.accessToken) == 204)
            #expect(try await server.me(second.accessToken).status == 401)
            #expect(try await server.refresh(second.refreshToken).status == 401)
            #expect(try await server.me(first.accessToken).status == 200)
            // Again, and by a token that was revoked.
            #expect(try await end(server, secondID, first.accessToken) == 204)
            #expect(try await end(server, secondID, second.accessToken) == 401)
            let reasons = try await server.database.client.read(
                "select end_reason from sessions where ended_at is not null")
            #expect(try reasons.column(String.self) == ["revoked"])
        }
    }

    @Test("SES-10, SES-11: a user ends all own sessions but the one that asks, and nobody else's")
    func others() async throws {
        try await withUserServer { server in
            let others = [try await server.login(), try await server.login()]
            let own = try await server.login()
            let stranger = try await server.login(phone: "+919876500000")
            func endOthers(_ token: String?) async throws -> Int {
                try await server.send("DELETE", "/v1/users/me/sessions", token: token).status
            }
            #expect(try await endOthers(nil) == 401)
            let cursor = try await server.changes().cursor
            for _ in 0..<2 { #expect(try await endOthers(own.accessToken) == 204) }
            for other in others {
                #expect(try await server.me(other.accessToken).status == 401)
                #expect(try await server.refresh(other.refreshToken).status == 401)
                #expect(try await endOthers(other.accessToken) == 401)
            }
            #expect(try await server.me(own.accessToken).status == 200)
            #expect(try await list(server, own.accessToken).count == 1)
            #expect(try await server.me(stranger.accessToken).status == 200)
            let told = try await server.changes(cursor).changes.filter { $0["kind"] as? String == "session-ended" }
            #expect(told.count == 2)
            // Their access tokens are listed too.
            #expect(try await server.count("select count(*) from blacklisted_tokens") == 2)
            #expect(try await server.refresh(own.refreshToken).status == 200)
            #expect(try await server.login().status == 200)
        }
    }

    @Test("SES-15: one session more than fifty ends the oldest")
    func tooMany() async throws {
        var limits = SessionLimits()
        limits.maximumSessions = 3
        try await withUserServer(limits: limits) { server in
            var answers: [UserServer.Answer] = []
            for _ in 0..<5 { answers.append(try await server.login()) }
            var statuses: [Int] = []
            for answer in answers { statuses.append(try await server.me(answer.accessToken).status) }
            #expect(statuses == [401, 401, 200, 200, 200])
            #expect(try await server.refresh(answers[0].refreshToken).status == 401)
            let told = try await server.changes().changes.filter { $0["kind"] as? String == "session-ended" }
            #expect(told.count == 2)
        }
    }

    @Test("keeps where a session was last refreshed from")
    func address() async throws {
        try await withUserServer { server in
            let answer = try await server.login()
            _ = try await server.database.client.write("update sessions set address = '2001:db8:1:2::/64'")
            #expect(try await list(server, answer.accessToken).first?["address"] as? String == "2001:db8:1:2::/64")
            _ = try await server.refresh(answer.refreshToken)
            #expect(try await list(server, answer.accessToken).first?["address"] as? String == "127.0.0.1")
        }
    }
}
