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
