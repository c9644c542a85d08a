import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing
import Tokens

@testable import UserService

@Suite("POST /v1/auth/refresh")
struct RefreshRouteTests {
    @Test("SES-01: replaces the token, and keeps session and user")
    func rotation() async throws {
        try await withUserServer { server in
            let first = try await server.login()
            let second = try await server.refresh(first.refreshToken)
            #expect(second.status == 200)
            let third = try await server.refresh(second.refreshToken)
            #expect(third.status == 200)
            #expect(Set([first, second, third].map(\.refreshToken)).count == 3)
            let verifier = TokenVerifier(keys: UserServer.keys)
            var tokens: [AccessToken] = []
            for answer in [first, second, third] { tokens.append(try await verifier.access(answer.accessToken)) }
            #expect(Set(tokens.map(\.sessionID)).count == 1)
            #expect(Set(tokens.map(\.id)).count == 3)
            #expect(third.user["id"] as? String == tokens[0].userID.description)
            for answer in [first, second, third] { #expect(try await server.me(answer.accessToken).status == 200) }
        }
    }

    @Test("gives the same successor to the token that was just replaced")
    func grace() async throws {
        try await withUserServer { server in
            let first = try await server.login()
            let second = try await server.refresh(first.refreshToken)
            let again = try await server.refresh(first.refreshToken)
            #expect(again.status == 200)
            #expect(again.refreshToken == second.refreshToken)
            #expect(again.accessToken == second.accessToken)
            try await server.advance(3)
            #expect(try await server.refresh(first.refreshToken).refreshToken == second.refreshToken)
            #expect(try await server.refresh(second.refreshToken).status == 200)
        }
    }

    @Test("SES-02: ends the session when an older token comes back")
    func reuse() async throws {
        try await withUserServer { server in
            let other = try await server.login()
            let first = try await server.login()
            let second = try await server.refresh(first.refreshToken)
            try await server.advance(12)
            let reused = try await server.refresh(first.refreshToken)
            #expect(reused.status == 401)
            #expect(reused.code == "refresh-token-reused")
            let after = try await server.refresh(second.refreshToken)
            #expect(after.status == 401)
            #expect(after.code == "invalid-token")
            #expect(try await server.me(second.accessToken).status == 401)
            #expect(try await server.me(other.accessToken).status == 200)
            #expect(try await server.refresh(other.refreshToken).status == 200)
            #expect(try await server.count("select count(*) from sessions where end_reason = 'refresh_reused'") == 1)
        }
    }

    @Test("ends the session when a token two generations old comes back, however soon")
    func twoGenerations() async throws {
        try await withUserServer { server in
            let first = try await server.login()
            let second = try await server.refresh(first.refreshToken)
            let third = try await server.refresh(second.refreshToken)
            #expect(try await server.refresh(first.refreshToken).code == "refresh-token-reused")
            #expect(try await server.refresh(third.refreshToken).status == 401)
        }
    }

    @Test("gives twenty at once one successor")
    func race() async throws {
        try await withUserServer { server in
            for _ in 0..<5 {
                let first = try await server.login()
                let answers = try await atOnce(20) { _ in try await server.refresh(first.refreshToken) }
                #expect(answers.allSatisfy { $0.status == 200 }, "\(answers.map(\.text))")
                #expect(Set(answers.map(\.refreshToken)).count == 1)
                #expect(Set(answers.map(\.accessToken)).count == 1)
            }
            #expect(try await server.count("select count(*) from sessions where generation = 1") == 5)
        }
    }

    @Test("RACE-07, SES-18: leaves nothing alive when it meets a logout")
    func logoutRace() async throws {
        try await withUserServer { server in
            for _ in 0..<20 {
                let session = try await server.login()
                let answers = try await atOnce(6) { index in
                    index % 2 == 0
                        ? try await server.refresh(session.refreshToken) : try await server.logout(session.accessToken)
                }
                #expect(answers.count { $0.status == 204 } == 3)
                for answer in answers + [session] where answer.status == 200 || answer.status == 201 {
                    #expect(try await server.refresh(answer.refreshToken).status == 401)
                    #expect(try await server.me(answer.accessToken).status == 401)
                }
            }
        }
    }

    @Test("SES-04, SES-05: ends with idleness, and with age however busy")
    func expiry() async throws {
        try await withUserServer { server in
            let idle = try await server.login()
            try await server.advance(14 * 86_400 + 1)
            #expect(try await server.refresh(idle.refreshToken).code == "invalid-token")

            var busy = try await server.login()
            for _ in 0..<2 {
                try await server.advance(13 * 86_400)
                busy = try await server.refresh(busy.refreshToken)
                #expect(busy.status == 200)
            }
            #expect((busy.integer("refresh_expires_in") ?? 0) <= 4 * 86_400)
            try await server.advance(4 * 86_400 + 1)
            #expect(try await server.refresh(busy.refreshToken).status == 401)
        }
    }

    @Test("cannot be used against a session by somebody who knows its id only")
    func forgery() async throws {
        try await withUserServer { server in
            let session = try await server.login()
            let bytes = try #require(Base64URL.decode(session.refreshToken.utf8))
            for index in 0..<bytes.count {
                var forged = bytes
                forged[index] ^= 0x40
                let answer = try await server.refresh(Base64URL.encode(forged))
                #expect(answer.status == 401)
                #expect(answer.code == "invalid-token")
            }
            for text in [
                "", "x", session.refreshToken + "A", String(session.refreshToken.dropLast()), session.accessToken,
            ] {
                #expect(try await server.refresh(text).code == "invalid-token")
            }
            #expect(try await server.refresh(session.refreshToken).status == 200)
        }
    }

    @Test("refuses the user who was suspended, deleted or is gone")
    func goneUser() async throws {
        try await withUserServer { server in
            for change in [
                "update users set status = 'suspended'", "update users set status = 'deleted', phone = null",
                "delete from users",
            ] {
                try await server.database.execute("update users set status = 'deleted', phone = null")
                let session = try await server.login()
                try await server.database.execute(change)
                #expect(try await server.refresh(session.refreshToken).status == 401)
                #expect(try await server.me(session.accessToken).status == 401)
                #expect(
                    try await server.send("PATCH", "/v1/users/me", token: session.accessToken, body: "{}").status == 401
                )
            }
        }
    }

    @Test("goes on after the key was rotated and the old one removed")
    func keyRotation() async throws {
        try await withUserDatabase { database in
            let key = Secret(bytes: Array("aH3(pW6)eN1_uC8+tK5=oG2-iM7.sX4/".utf8))
            let tokens = Mailbox()
            try await serve(database, database.client) { server in
                let first = try await server.login()
                await tokens.put([first.refreshToken, try await server.refresh(first.refreshToken).refreshToken])
            }
            try await serve(database, database.client, keys: TokenKeys(current: key, previous: nil)) { server in
                let texts = await tokens.texts
                #expect(try await server.refresh(texts[0]).status == 401)
                let next = try await server.refresh(texts[1])
                #expect(next.status == 200)
                #expect(try await server.me(next.accessToken).status == 200)
            }
        }
    }

    private actor Mailbox {
        var texts: [String] = []
        func put(_ texts: [String]) { self.texts = texts }
    }
}
