import Foundation
import Identity
import PostgresTestKit
import Testing
import Tokens

@testable import UserService

@Suite("Introspection and revocation")
struct TokenInspectionTests {
    private func inspect(_ server: UserServer, _ token: String) async throws -> UserServer.Answer {
        try await server.form("/v1/auth/introspect", "token=\(token)&token_type_hint=access_token", asService: true)
    }

    @Test("SES-21: says of a live token whose it is, and of any other that it is not active, and no more")
    func introspection() async throws {
        try await withUserServer { server in
            let answer = try await server.login()
            let token = try await TokenVerifier(keys: UserServer.keys).access(answer.accessToken)
            let access = try await inspect(server, answer.accessToken)
            #expect(access.status == 200)
            let names = ["active", "sub", "sid", "iss", "jti", "aud", "token_type", "iat", "exp"]
            #expect(Set(access.object.keys) == Set(names))
            #expect(access.object["active"] as? Bool == true)
            #expect(access.string("sub") == token.userID.description)
            #expect(access.string("sid") == token.sessionID.description)
            #expect(access.integer("exp") == Int(token.expiresAt.timeIntervalSince1970))
            let refresh = try await inspect(server, answer.refreshToken)
            #expect(refresh.object["active"] as? Bool == true)
            #expect(refresh.string("sub") == token.userID.description)

            let replaced = answer.refreshToken
            let second = try await server.refresh(replaced)
            let proof = try await server.proof()
            let expired = try TokenSigner(keys: UserServer.keys).sign(
                AccessToken(
                    userID: token.userID, sessionID: token.sessionID, id: UUID(), issuedAt: Date() - 1000,
                    expiresAt: Date() - 100), now: Date())
            _ = try await server.logout(second.accessToken)
            for dead in [answer.accessToken, second.accessToken, replaced, second.refreshToken, proof, expired, "x"] {
                let answer = try await inspect(server, dead)
                #expect(answer.status == 200)
                #expect(answer.text == #"{"active":false}"#)
            }
        }
    }

    @Test("SES-21: a refresh token is not active once its session is idle, void, too old or its user suspended")
    func refreshToken() async throws {
        try await withUserServer { server in
            let live = #"{"active":true"#
            let answer = try await server.login()
            func isActive() async throws -> Bool {
                let text = try await inspect(server, answer.refreshToken).text
                #expect(text.hasPrefix(live) || text == #"{"active":false}"#)
                return text.hasPrefix(live)
            }
            #expect(try await isActive())
            let breaks = [
                ("sessions", "idle_expires_at", "now() - interval '1 second'"),
                ("users", "sign_in_not_before", "clock_timestamp()"), ("users", "status", "'suspended'"),
            ]
            for (table, column, value) in breaks {
                let old = try await server.database.execute("select \(column) from \(table)").first ?? nil
                try await server.database.execute("update \(table) set \(column) = \(value)")
                #expect(try await !isActive(), "\(column)")
                let back = old.map { "'\($0)'" } ?? "null"
                try await server.database.execute("update \(table) set \(column) = \(back)")
                #expect(try await isActive(), "\(column)")
            }
            try await server.advance(SessionLimits().absoluteLifetime + 1)
            #expect(try await !isActive())
        }
    }

    @Test("SES-21: is asked by services only, with a form")
    func callers() async throws {
        try await withUserServer { server in
            let answer = try await server.login()
            let none = try await server.form("/v1/auth/introspect", "token=\(answer.accessToken)")
            #expect(none.status == 401)
            #expect(none.header("WWW-Authenticate") == "Bearer")
            let type = [("Content-Type", "application/x-www-form-urlencoded")]
            let user = try await server.send(
                "POST", "/v1/auth/introspect", token: answer.accessToken, body: "token=x", headers: type)
            #expect(user.status == 401)
            for (caller, status) in [(ServiceName.otp, 200), (.admin, 200), (.user, 401)] {
                let told = try await server.ask(
                    "/v1/auth/introspect", method: "POST", as: caller, body: "token=x", headers: type)
                #expect(told.status == status, "\(caller)")
            }
            let json = try await server.ask("/v1/auth/introspect", method: "POST", body: #"{"token":"x"}"#)
            #expect(json.status == 415)
            for fields in ["", "token=", "token=a&token=b", "token=%zz"] {
                #expect(try await server.form("/v1/auth/introspect", fields, asService: true).status == 400)
                #expect(try await server.form("/v1/auth/revoke", fields).status == 400)
            }
            let big = "token=" + String(repeating: "a", count: 17_000)
            #expect(try await server.form("/v1/auth/revoke", big).status == 413)
        }
    }

    @Test("a refresh token that is given up ends its session")
    func revokeRefreshToken() async throws {
        try await withUserServer { server in
            let answer = try await server.login()
            let other = try await server.login()
            let done = try await server.form(
                "/v1/auth/revoke", "token=\(answer.refreshToken)&token_type_hint=something_new")
            #expect(done.status == 200)
            #expect(done.text.isEmpty)
            #expect(try await server.refresh(answer.refreshToken).status == 401)
            #expect(try await server.me(answer.accessToken).status == 401)
            #expect(try await server.me(other.accessToken).status == 200)
            // Again, and what was never a token.
            for token in [answer.refreshToken, answer.accessToken, "nonsense", String(repeating: "A", count: 70)] {
                #expect(try await server.form("/v1/auth/revoke", "token=\(token)").status == 200)
            }
            #expect(try await server.me(other.accessToken).status == 200)
        }
    }

    @Test("an access token that is given up takes its session with it")
    func revokeAccessToken() async throws {
        try await withUserServer { server in
            let answer = try await server.login()
            #expect(try await server.form("/v1/auth/revoke", "token=\(answer.accessToken)").status == 200)
            #expect(try await server.me(answer.accessToken).status == 401)
            #expect(try await server.refresh(answer.refreshToken).status == 401)
        }
    }

    @Test("a token of another kind cannot be given up")
    func unsupported() async throws {
        try await withUserServer { server in
            let proof = try await server.proof()
            let answer = try await server.form("/v1/auth/revoke", "token=\(proof)")
            #expect(answer.status == 400)
            #expect(answer.code == "unsupported-token-type")
            #expect(answer.string("error") == "unsupported_token_type")
            #expect(try await server.login(proof).status == 201)
        }
    }
}
