import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing
import Tokens

@testable import UserService

@Suite("POST /v1/auth/logout")
struct LogoutRouteTests {
    @Test("ends the session at once, for the access token and the refresh token")
    func logout() async throws {
        try await withUserServer { server in
            let session = try await server.login()
            let other = try await server.login()
            let newer = try await server.refresh(session.refreshToken)
            let answer = try await server.logout(session.accessToken)
            #expect(answer.status == 204)
            #expect(answer.text.isEmpty)
            for token in [session.accessToken, newer.accessToken] {
                let me = try await server.me(token)
                #expect(me.status == 401)
                #expect(me.header("WWW-Authenticate") == #"Bearer error="invalid_token""#)
            }
            for token in [session.refreshToken, newer.refreshToken] {
                #expect(try await server.refresh(token).status == 401)
            }
            #expect(try await server.me(other.accessToken).status == 200)
            // Both access tokens are listed, by hash of issuer and id, until they expire.
            let verifier = TokenVerifier(keys: UserServer.keys)
            for text in [session.accessToken, newer.accessToken] {
                let token = try await verifier.access(text)
                let listed = try await server.count(
                    """
                    select count(*) from blacklisted_tokens
                    where token_hash = \(token.tokenHash) and expires_at = \(token.expiresAt)
                    """)
                #expect(listed == 1)
            }
        }
    }

    @Test("is final also for a token that is listed but whose session is not ended, and for one spelt otherwise")
    func blacklist() async throws {
        try await withUserServer { server in
            let session = try await server.login()
            #expect(try await server.logout(session.accessToken).status == 204)
            try await server.database.execute("update sessions set ended_at = null, end_reason = null")
            #expect(try await server.me(session.accessToken).status == 401)
            let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
            let last = try #require(session.accessToken.last.flatMap(alphabet.firstIndex(of:)))
            for bits in 1...3 {
                let respelt = session.accessToken.dropLast() + String(alphabet[last + bits])
                #expect(try await server.me(String(respelt)).status == 401)
            }
            // Taking it off the list makes it good again: it was the list.
            try await server.database.execute("delete from blacklisted_tokens")
            #expect(try await server.me(session.accessToken).status == 200)
        }
    }

    @Test("SES-09: may be asked for again, and changes nobody else's sessions")
    func again() async throws {
        try await withUserServer { server in
            let session = try await server.login()
            let stranger = try await server.login(phone: "+447400123456")
            for _ in 0..<2 { #expect(try await server.logout(session.accessToken).status == 204) }
            #expect(try await server.logout(session.accessToken, everywhere: true).status == 401)
            #expect(try await server.me(stranger.accessToken).status == 200)
            for token in ["garbage", stranger.refreshToken, try await server.proof()] {
                #expect(try await server.logout(token).status == 401)
            }
            let bare = try await server.send("POST", "/v1/auth/logout")
            #expect(bare.status == 401)
            #expect(bare.header("WWW-Authenticate") == "Bearer")
            #expect(try await server.count("select count(*) from sessions where ended_at is null") == 1)
        }
    }

    @Test("SES-10: a token that names another user's session ends nothing of theirs")
    func foreignSession() async throws {
        try await withUserServer { server in
            let own = try await server.session(of: try await server.login().accessToken)
            let stranger = try await server.login(phone: "+447400123456")
            let theirs = try await server.session(of: stranger.accessToken)
            // None of ours is like this, but the key that signs is shared by three services.
            func mixed() async throws -> String {
                try server.signer.sign(
                    AccessToken(
                        userID: own.userID, sessionID: theirs.sessionID, id: .version7(), issuedAt: Date(),
                        expiresAt: Date() + 600), now: Date())
            }
            for token in [try await mixed(), try await mixed()] {
                #expect(try await server.me(token).status == 401)
                #expect(try await server.logout(token, everywhere: true).status == 401)
                _ = try await server.logout(token)
                _ = try await server.form("/v1/auth/revoke", "token=\(token)")
                let sessions = "/v1/users/me/sessions"
                for path in [sessions, "\(sessions)/\(theirs.sessionID)", "\(sessions)/\(own.sessionID)"] {
                    #expect(try await server.send("DELETE", path, token: token).status == 401)
                }
                #expect(try await server.send("DELETE", "/v1/users/me", token: token).status == 401)
            }
            #expect(try await server.me(stranger.accessToken).status == 200)
            #expect(try await server.refresh(stranger.refreshToken).status == 200)
            #expect(try await server.count("select count(*) from sessions where ended_at is null") == 2)
        }
    }

    @Test("SES-11: everywhere ends all sessions, and a sign-in right after works")
    func everywhere() async throws {
        try await withUserServer { server in
            var sessions: [UserServer.Answer] = []
            for _ in 0..<3 { sessions.append(try await server.login()) }
            let stranger = try await server.login(phone: "+447400123456")
            #expect(try await server.logout(sessions[1].accessToken, everywhere: true).status == 204)
            for session in sessions {
                #expect(try await server.me(session.accessToken).status == 401)
                #expect(try await server.refresh(session.refreshToken).status == 401)
            }
            let next = try await server.login()
            #expect(try await server.me(next.accessToken).status == 200)
            #expect(try await server.refresh(next.refreshToken).status == 200)
            #expect(try await server.me(stranger.accessToken).status == 200)
        }
    }

    @Test("a mark voids what was issued at its very moment or before, and nothing after")
    func markAtIssue() async throws {
        try await withUserServer { server in
            let session = try await server.login()
            let token = try await server.session(of: session.accessToken)
            for (milliseconds, status) in [(-1.0, 200), (0, 401), (1, 401)] {
                let mark = token.issuedAt.addingTimeInterval(milliseconds / 1000)
                _ = try await server.database.client.write("update users set sign_in_not_before = \(mark)")
                #expect(try await server.me(session.accessToken).status == status, "\(milliseconds) ms")
            }
        }
    }

    @Test("everywhere voids by its mark what it could not see")
    func mark() async throws {
        try await withUserServer { server in
            let session = try await server.login()
            #expect(try await server.logout(session.accessToken, everywhere: true).status == 204)
            // As if a sign-in had committed a session that began before the mark.
            try await server.database.execute(
                "delete from blacklisted_tokens; update sessions set ended_at = null, end_reason = null")
            #expect(try await server.me(session.accessToken).status == 401)
            #expect(try await server.refresh(session.refreshToken).status == 401)
        }
    }

    @Test("refuses what is not its body")
    func malformed() async throws {
        try await withUserServer { server in
            let session = try await server.login()
            for body in ["{", "[]", #"{"everywhere":"yes"}"#, #"{"all":true}"#, "1"] {
                let answer = try await server.send(
                    "POST", "/v1/auth/logout", token: session.accessToken, body: body)
                #expect(answer.status == 400, "\(body)")
            }
            #expect(try await server.me(session.accessToken).status == 200)
        }
    }
}
