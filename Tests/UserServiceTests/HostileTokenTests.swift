import Crypto
import Foundation
import Identity
import Postgres
import PostgresTestKit
import ServiceTestKit
import Testing
import Tokens

@testable import UserService

@Suite("Hostile bearer tokens", .timeLimit(.minutes(2)))
struct HostileTokenTests {
    private func base64(_ text: String) -> String {
        Data(text.utf8).base64EncodedString().replacingOccurrences(of: "+", with: "-")
            .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
    }

    @Test("JWT-13, JWT-14: long and deep tokens are refused, and the service goes on")
    func monsters() async throws {
        try await withUserServer { server in
            let good = try await server.login().accessToken
            let parts = good.split(separator: ".").map(String.init)
            try #require(parts.count == 3)
            let nested = base64(String(repeating: "[", count: 4000) + String(repeating: "]", count: 4000))
            let keys = base64("{" + (0..<500).map { "\"k\($0)\":1" }.joined(separator: ",") + "}")
            let tokens = [
                String(repeating: "A", count: 8000), String(repeating: "A", count: 79_000),
                String(repeating: "A", count: 1_000_000), String(repeating: ".", count: 10_000),
                "\(nested).\(parts[1]).\(parts[2])", "\(parts[0]).\(nested).\(parts[2])",
                "\(keys).\(parts[1]).\(parts[2])", "\(parts[0]).\(keys).\(parts[2])",
                "\(parts[0]).\(Data([0xFF, 0xFE, 0x7B, 0]).base64EncodedString()).\(parts[2])",
            ]
            for token in tokens {
                // A head that is too long may be answered by the parser, or not at all.
                let answer = try? await server.me(token)
                #expect([nil, 400, 401, 431].contains(answer?.status), "\(token.count) characters")
                #expect(try await server.me(good).status == 200)
            }
        }
    }

    @Test("JWT-01, -02, -03, -05, -07, -08, -10, -12: one that is wrong in any way is 401, wherever one is taken")
    func refused() async throws {
        try await withUserServer { server in
            let session = try await server.login()
            let hostile = try #require(
                HostileTokens(good: session.accessToken) { input, key in
                    HostileTokens.base64(
                        Array(
                            HMAC<SHA256>.authenticationCode(
                                for: Array(input.utf8), using: SymmetricKey(data: key ?? UserServer.secret.bytes))))
                })
            #expect(try await server.me(hostile.control).status == 200)
            #expect(hostile.all.count > 100)
            for token in hostile.all where token.text.utf8.count < 30_000 {
                let answer = try await server.me(token.text)
                #expect(answer.status == 401, "\(token.name)")
                #expect(answer.header("WWW-Authenticate")?.contains("invalid_token") == true, "\(token.name)")
                let body = #"{"display_name":"Mallory"}"#
                #expect(try await server.send("PATCH", "/v1/users/me", token: token.text, body: body).status == 401)
                #expect(try await server.logout(token.text, everywhere: true).status == 401, "\(token.name)")
            }
            let me = try await server.me(session.accessToken)
            #expect(me.status == 200 && me.string("display_name") == nil)
        }
    }

    @Test("JWT-16: a right signature for a user who was deleted, or never was, is nobody")
    func nobody() async throws {
        try await withUserServer { server in
            let now = Date()
            let stranger = try server.signer.sign(
                AccessToken(
                    userID: UserID(), sessionID: SessionID(), id: .version7(), issuedAt: now,
                    expiresAt: now.addingTimeInterval(600)), now: now)
            let deleted = try await server.login()
            #expect(try await server.send("DELETE", "/v1/users/me", token: deleted.accessToken).status == 204)
            for token in [stranger, deleted.accessToken] {
                #expect(try await server.me(token).status == 401)
                #expect(
                    try await server.send("PATCH", "/v1/users/me", token: token, body: #"{"display_name":"A"}"#).status
                        == 401)
                #expect(try await server.send("GET", "/v1/users/me/sessions", token: token).status == 401)
            }
            #expect(try await server.refresh(deleted.refreshToken).status == 401)
            #expect(try await server.database.execute("select count(*) from users where status <> 'deleted'") == ["0"])
        }
    }

    @Test("JWT-20: a token anywhere but in one Authorization header of kind Bearer is none")
    func places() async throws {
        try await withUserServer { server in
            let token = try await server.login().accessToken
            let places: [(String, [(String, String)])] = [
                ("?access_token=\(token)", []), ("", [("Cookie", "access_token=\(token)")]),
                ("", [("Authorization", "Basic \(token)")]), ("", [("Authorization", token)]),
                ("", [("Authorization", "Bearer \(token)"), ("Authorization", "Bearer \(token)")]),
                ("", [("Authorization", "Bearer \(token), Bearer \(token)")]), ("", [("X-Access-Token", token)]),
            ]
            for (query, headers) in places {
                let answer = try await server.send("GET", "/v1/users/me\(query)", headers: headers)
                #expect([400, 401].contains(answer.status), "\(query.prefix(5)) \(headers.map(\.0))")
                #expect(!answer.text.contains(token))
            }
        }
    }

    @Test("JWT-21: without credentials no error is named, with bad ones invalid_token")
    func challenges() async throws {
        try await withUserServer { server in
            let none = try await server.send("GET", "/v1/users/me")
            #expect(none.status == 401 && none.header("WWW-Authenticate") == "Bearer")
            let now = Date().addingTimeInterval(-1000)
            let expired = try server.signer.sign(
                AccessToken(
                    userID: UserID(), sessionID: SessionID(), id: .version7(), issuedAt: now,
                    expiresAt: now.addingTimeInterval(600)), now: now)
            let late = try await server.me(expired)
            #expect(late.status == 401)
            #expect(late.header("WWW-Authenticate")?.contains(#"error="invalid_token""#) == true)
        }
    }
}
