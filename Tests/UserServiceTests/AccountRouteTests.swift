import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing
import Tokens

@testable import UserService

@Suite("Leaving, and taking one's data along", .serialized)
struct AccountRouteTests {
    @Test("who leaves is nobody any more, and may come again as somebody else")
    func leave() async throws {
        try await withUserServer { server in
            let body = #"{"verification_token":"\#(try await server.proof())","device_name":"Asha's phone"}"#
            let session = try await server.send("POST", "/v1/auth/login", body: body)
            let second = try await server.login()
            _ = try await server.send(
                "PATCH", "/v1/users/me", token: session.accessToken,
                body: #"{"display_name":"Asha","locale":"en","email":"asha@example.org"}"#)
            try await server.database.execute("update sessions set address = '203.0.113.9'")
            _ = try await server.logout(second.accessToken)
            let before = try await StatisticsStore(postgres: server.database.client).statistics(days: 1)
            let answer = try await server.send("DELETE", "/v1/users/me", token: session.accessToken)
            #expect(answer.status == 204)
            #expect(answer.text.isEmpty)
            #expect(try await server.me(session.accessToken).status == 401)
            #expect(try await server.refresh(session.refreshToken).status == 401)
            let nothingLeft = try await server.count(
                """
                select (select count(*) from users where phone is null and display_name is null and locale is null
                        and email is null and status = 'deleted' and last_sign_in_at is not null)
                    + (select 10 * count(*) from sessions where device_name is null and address is null and ended_at is not null)
                """)
            #expect(nothingLeft == 21)
            let told = try await server.count(
                "select count(*) from changes where kind in ('user-not-before', 'user-changed')")
            #expect(told >= 2)
            let dump = try await server.database.execute(
                "select (select string_agg(u::text, ' ') from users u) || (select string_agg(s::text, ' ') from sessions s)"
            )
            #expect(!dump.compactMap(\.self).joined().contains("Asha"))

            let after = try await StatisticsStore(postgres: server.database.client).statistics(days: 1)
            #expect(after.total == before.total - 1)
            #expect(after.deleted == 1)
            #expect(after.days[0].newUsers == before.days[0].newUsers)
            let anew = try await server.login()
            #expect(anew.status == 201)
            #expect(anew.userID != session.userID)
            #expect(try await server.send("DELETE", "/v1/users/me", token: session.accessToken).status == 401)
            #expect(try await server.send("DELETE", "/v1/users/me").status == 401)
        }
    }

    @Test("leaving beats a sign-in and a refresh of the same instant", arguments: 1...5)
    func leaveRace(round: Int) async throws {
        try await withUserServer { server in
            let session = try await server.login()
            let other = try await server.login()
            async let left = server.send("DELETE", "/v1/users/me", token: session.accessToken)
            async let refreshed = server.refresh(other.refreshToken)
            async let signedIn = server.login(try await server.proof())
            async let patched = server.send(
                "PATCH", "/v1/users/me", token: other.accessToken, body: #"{"display_name":"Asha"}"#)
            let answers = [try await left, try await refreshed, try await signedIn, try await patched]
            #expect(answers[0].status == 204)
            #expect([200, 201].contains(answers[2].status))
            #expect([200, 401].contains(answers[3].status))
            if answers[1].status == 200 {
                #expect(try await server.me(answers[1].accessToken).status == 401)
            }
            let live = try await server.me(answers[2].accessToken)
            #expect(live.status == (answers[2].userID == session.userID ? 401 : 200))
            let named = try await server.count(
                "select count(*) from users where status = 'deleted' and display_name is not null")
            #expect(named == 0)
        }
    }

    @Test("the export has everything of one's own and nothing else")
    func export() async throws {
        try await withUserServer { server in
            let body = #"{"verification_token":"\#(try await server.proof())","device_name":"Pixel 9"}"#
            let session = try await server.send("POST", "/v1/auth/login", body: body)
            let second = try await server.login()
            _ = try await server.logout(second.accessToken)
            let stranger = try await server.login(phone: "+447400123456")
            _ = try await server.send(
                "PATCH", "/v1/users/me", token: session.accessToken,
                body: #"{"display_name":"Asha","email":"asha@example.org"}"#)
            let answer = try await server.send("GET", "/v1/users/me/export", token: session.accessToken)
            #expect(answer.status == 200)
            #expect(answer.header("Content-Disposition") == #"attachment; filename="account.json""#)
            #expect(answer.header("Content-Type")?.hasPrefix("application/json") == true)
            #expect(answer.header("Cache-Control") == "no-store")
            let user = answer.user
            #expect(user["phone"] as? String == UserServer.phone)
            #expect(user["email"] as? String == "asha@example.org")
            #expect(user["last_active_on"] as? String != nil)
            #expect(answer.sessions.count == 2)
            #expect(answer.integer("sessions_total") == 2)
            #expect(answer.sessions[0]["end_reason"] as? String == "logout")
            #expect(answer.sessions[1]["device_name"] as? String == "Pixel 9")
            #expect(!answer.text.contains(stranger.userID))
            for word in ["hash", "challenge", "token"] { #expect(!answer.text.contains(word)) }

            try await server.database.execute(
                """
                insert into sessions (id, user_id, challenge_id, refresh_hash, access_token_id, access_expires_at, idle_expires_at,
                    absolute_expires_at)
                select gen_random_uuid(), '\(session.userID)', gen_random_uuid(), sha256('x'), gen_random_uuid(), now(), now(), now()
                from generate_series(1, 1200)
                """)
            try await server.database.execute(
                "update sessions set address = case when ended_at is null then inet '2001:db8:1:2::/64' else '203.0.113.9' end"
            )
            let shown = try await server.send(
                "GET", "/internal/users/\(session.userID)", token: try await server.serviceToken())
            #expect(shown.sessions.first?["address"] as? String == "2001:db8:1:2::/64")
            let large = try await server.send("GET", "/v1/users/me/export", token: session.accessToken)
            #expect(large.sessions.count == AccountExport.sessionLimit)
            #expect(large.integer("sessions_total") == 1202)
            #expect(try await server.send("GET", "/v1/users/me/export").status == 401)
            #expect(try await server.send("GET", "/v1/users/me/export", token: second.accessToken).status == 401)
        }
    }
}
