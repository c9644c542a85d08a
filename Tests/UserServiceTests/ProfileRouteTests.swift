import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing
import Tokens

@testable import UserService

@Suite("/v1/users/me")
struct ProfileRouteTests {
    @Test("shows the user")
    func get() async throws {
        try await withUserServer { server in
            let session = try await server.login()
            let me = try await server.me(session.accessToken)
            #expect(me.status == 200)
            #expect(
                Set(me.object.keys)
                    == ["id", "phone", "status", "display_name", "locale", "email", "created_at", "last_sign_in_at"])
            #expect(me.string("phone") == UserServer.phone)
            #expect(me.string("status") == "active")
            #expect(me.header("Cache-Control") == "no-store")
            #expect(NSDictionary(dictionary: me.object) == NSDictionary(dictionary: session.user))
        }
    }

    @Test("sets, keeps and clears")
    func patch() async throws {
        try await withUserServer { server in
            let token = try await server.login().accessToken
            func patch(_ body: String) async throws -> UserServer.Answer {
                try await server.send("PATCH", "/v1/users/me", token: token, body: body)
            }
            let set = try await patch(
                #"{"display_name":"  Asha \"R\" \u0928\u092e\u0938\u094d\u0924\u0947 ","locale":"pt-BR","email":"a+b@example.org"}"#
            )
            #expect(set.status == 200)
            #expect(set.string("display_name") == "Asha \"R\" \u{0928}\u{092E}\u{0938}\u{094D}\u{0924}\u{0947}")
            #expect(set.string("locale") == "pt-BR")
            let kept = try await patch("{}")
            #expect(NSDictionary(dictionary: kept.object) == NSDictionary(dictionary: set.object))
            let cleared = try await patch(#"{"email":null,"display_name":"B"}"#)
            #expect(cleared.object["email"] is NSNull)
            #expect(cleared.string("display_name") == "B")
            #expect(cleared.string("locale") == "pt-BR")
            #expect(
                NSDictionary(dictionary: try await server.me(token).object) == NSDictionary(dictionary: cleared.object))
        }
    }

    static let refused = [
        #"{"display_name":""}"#, #"{"display_name":"  "}"#, #"{"display_name":"a\u0000b"}"#,
        #"{"display_name":"a\nb"}"#,
        #"{"display_name":"a\u202eb"}"#, #"{"display_name":"\u200b\u200b"}"#, #"{"display_name":["a"]}"#,
        #"{"display_name":"\#(String(repeating: "x", count: 81))"}"#, #"{"locale":"english"}"#, #"{"locale":"e"}"#,
        #"{"locale":"en_US"}"#, #"{"locale":"en-"}"#, #"{"locale":"../../etc"}"#, #"{"email":"a"}"#,
        #"{"email":"a@b@c"}"#,
        #"{"email":"a b@example.org"}"#, #"{"email":"<a>@example.org"}"#, #"{"email":"@example.org"}"#, #"{"email":1}"#,
        #"{"phone":"+12025550123"}"#, #"{"status":"active"}"#, #"{"id":"x"}"#, #"{"locale":"en","locale":"de"}"#, "[]",
        "null", "{",
    ]

    @Test("refuses what cannot be stored, and stores nothing of it")
    func refusals() async throws {
        try await withUserServer { server in
            let token = try await server.login().accessToken
            for body in Self.refused {
                let answer = try await server.send("PATCH", "/v1/users/me", token: token, body: body)
                #expect(answer.status == 400, "\(body): \(answer.text)")
                #expect(answer.code == "invalid-request")
                #expect(!answer.text.contains("etc") && !answer.text.contains("xxxx"))
            }
            let both = try await server.send(
                "PATCH", "/v1/users/me", token: token, body: #"{"display_name":"ok","locale":"?","email":"?"}"#)
            #expect((both.object["errors"] as? [Any])?.count == 2)
            let unchanged = try await server.count(
                "select count(*) from users where display_name is null and locale is null and email is null")
            #expect(unchanged == 1)
        }
    }

    @Test("stores exactly what the schema's checks allow")
    func checks() async throws {
        try await withUserDatabase { database in
            let store = UserStore(postgres: database.client)
            try await database.execute(
                "insert into users (id, phone) values ('\(UserID())', '+919876543210')")
            let names = [
                "a", String(repeating: "\u{1F600}", count: 80), "\u{0645}\u{0631}", "O'Brien; drop table users", "%_\\",
            ]
            for name in names {
                let stored = try #require(ProfileField.displayName.stored(name))
                _ = try await database.client.write("update users set display_name = \(stored)")
            }
            for locale in ["en", "pt-BR", "zh-Hant-TW", "de-1996"] {
                _ = try await database.client.write(
                    "update users set locale = \(try #require(ProfileField.locale.stored(locale)))")
            }
            for email in ["a@b", "a+b@example.org", "\u{00FC}@example.org"] {
                _ = try await database.client.write(
                    "update users set email = \(try #require(ProfileField.email.stored(email)))")
            }
            _ = store
        }
    }

    @Test("many at once are each answered by their own token, whatever the neighbours' are worth")
    func crowd() async throws {
        try await withUserServer { server in
            var good: [(token: String, id: String)] = []
            for _ in 0..<8 {
                let session = try await server.login()
                good.append((session.accessToken, try await server.session(of: session.accessToken).userID.description))
            }
            let ended = try await server.login().accessToken
            #expect(try await server.send("POST", "/v1/auth/logout", token: ended).status == 204)
            let listed = try await server.login().accessToken
            let claims = try await server.session(of: listed)
            _ = try await server.database.client.write(
                "insert into blacklisted_tokens values (\(claims.tokenHash), \(claims.expiresAt))")
            // Signed by us for a session of somebody else.
            let stranger = try await server.session(of: try await server.login(phone: "+447400123456").accessToken)
            let mixed = try server.signer.sign(
                AccessToken(
                    userID: claims.userID, sessionID: stranger.sessionID, id: .version7(), issuedAt: stranger.issuedAt,
                    expiresAt: stranger.expiresAt), now: Date())
            let bad = [ended, listed, mixed]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for round in 0..<200 {
                    let (token, id) = good[round % good.count]
                    group.addTask {
                        let answer = try await server.me(token)
                        #expect(answer.status == 200 && answer.object["id"] as? String == id)
                    }
                    if round % 5 == 0 {
                        group.addTask {
                            let status = try await server.me(bad[round % bad.count]).status
                            #expect(status == 401)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("needs a token that is good")
    func unauthenticated() async throws {
        try await withUserServer { server in
            let session = try await server.login()
            let none = try await server.send("GET", "/v1/users/me")
            #expect(none.status == 401)
            #expect(none.header("WWW-Authenticate") == "Bearer")
            for text in ["x", session.refreshToken, try await server.proof(), String(session.accessToken.dropLast(4))] {
                #expect(try await server.me(text).status == 401)
            }
            let query = try await server.send("GET", "/v1/users/me?access_token=\(session.accessToken)")
            #expect(query.status == 401)
            let twice = try await server.send(
                "GET", "/v1/users/me", token: session.accessToken,
                headers: [("Authorization", "Bearer \(session.accessToken)")])
            #expect(twice.status == 401 || twice.status == 400)
            // Signed by us for a session of somebody else.
            let stranger = try await server.login(phone: "+447400123456")
            let verifier = TokenVerifier(keys: UserServer.keys)
            let (own, other) = (
                try await verifier.access(session.accessToken), try await verifier.access(stranger.accessToken)
            )
            let mixed = AccessToken(
                userID: own.userID, sessionID: other.sessionID, id: .version7(), issuedAt: own.issuedAt,
                expiresAt: own.expiresAt)
            let text = try server.signer.sign(mixed, now: Date())
            #expect(try await server.me(text).status == 401)
            let patch = try await server.send("PATCH", "/v1/users/me", token: text, body: #"{"display_name":"x"}"#)
            #expect(patch.status == 401)
            #expect(try await server.logout(text).status == 204)
            #expect(try await server.logout(text, everywhere: true).status == 401)
            #expect(try await server.me(stranger.accessToken).status == 200)
        }
    }

    @Test("answers 503 within five seconds while PostgreSQL is away")
    func outage() async throws {
        try await withUserDatabase { database in
            let nowhere = try PostgresClient(
                configuration: PostgresConfiguration(
                    url: "postgresql://postgres@127.0.0.1:1/nothing", applicationName: "tests", poolSize: 4),
                logger: quietLogger)
            try await serve(database, nowhere) { server in
                let proof = try await server.proof()
                let token = AccessToken(
                    userID: UserID(), sessionID: SessionID(), id: .version7(), issuedAt: Date(), expiresAt: Date() + 900
                )
                let text = try server.signer.sign(token, now: Date())
                let refreshToken = try #require(RefreshTokens(UserServer.keys).token(of: SessionID(), generation: 0))
                var best = Duration.seconds(60)
                // On a machine that is busy with other tests one of three rounds has to be in time.
                for _ in 0..<3 where best >= .seconds(5) {
                    let began = ContinuousClock.now
                    async let login = server.login(proof)
                    async let refresh = server.refresh(refreshToken.text)
                    async let logout = server.logout(text)
                    async let me = server.me(text)
                    for answer in [try await login, try await refresh, try await logout, try await me] {
                        #expect(answer.status == 503, "\(answer.text)")
                        #expect(answer.code == "service-unavailable")
                        #expect(Int(answer.header("Retry-After") ?? "") ?? 0 > 0)
                    }
                    best = min(best, ContinuousClock.now - began)
                }
                #expect(best < .seconds(5))
            }
            await nowhere.shutDown()
        }
    }
}
