import Crypto
import Foundation
import Identity
import PostgresTestKit
import ServiceTestKit
import Testing
import Tokens

@testable import AdminService

@Suite("Hostile bearer tokens at admin-service", .timeLimit(.minutes(3)))
struct HostileTokenTests {
    /// One that reads, one that writes: the gate before them is the same.
    static let routes = [("GET", "/v1/admin/cache"), ("DELETE", "/v1/admin/cache")]

    @Test("JWT-01, -02, -03, -05, -07, -08, -10, -12, -13, -14: one that is wrong in any way is 401")
    func refused() async throws {
        try await withAdminServer { server in
            let good = try await server.token(.owner)
            let hostile = try #require(
                HostileTokens(good: good) { input, key in
                    HostileTokens.base64(
                        Array(
                            HMAC<SHA256>.authenticationCode(
                                for: Array(input.utf8), using: SymmetricKey(data: key ?? AdminDatabase.secret.bytes))))
                })
            for text in [good, hostile.control] {
                #expect(try await server.send("GET", "/v1/admin/cache", token: text).status == 200)
            }
            #expect(hostile.all.count > 100)
            for (method, path) in Self.routes {
                for token in hostile.all {
                    guard let answer = try? await server.send(method, path, token: token.text) else {
                        #expect(token.text.utf8.count > 30_000, "\(token.name)")
                        continue
                    }
                    let expected = token.text.utf8.count > 30_000 ? [401, 400, 431] : [401]
                    #expect(expected.contains(answer.status), "\(method) \(token.name): \(answer.status)")
                    if answer.status == 401 {
                        #expect(answer.header("WWW-Authenticate")?.contains("invalid_token") == true, "\(token.name)")
                    }
                }
            }
            #expect(try await server.send("GET", "/v1/admin/cache", token: good).status == 200)
        }
    }

    @Test("JWT-10, JWT-11: a token of another kind opens no route")
    func kinds() async throws {
        try await withAdminServer { server in
            let now = Date()
            let admin = try await server.database.enrol(.owner)
            let signer = TokenSigner(keys: AdminDatabase.keys)
            var texts = [
                try signer.sign(
                    AccessToken(
                        userID: UserID(), sessionID: SessionID(), id: .version7(), issuedAt: now, expiresAt: now + 600),
                    now: now),
                try signer.sign(ServiceToken(service: .user, audience: .admin, expiresAt: now + 60), now: now),
                try signer.sign(server.database.proof(admin.phone), now: now), String(repeating: "A", count: 70),
            ]
            // The right kind, of a session that nobody began.
            texts.append(
                try signer.sign(
                    AdminToken(
                        adminID: admin.id, sessionID: SessionID(), id: .version7(), issuedAt: now, expiresAt: now + 600),
                    now: now))
            for route in AccessTests.routes {
                for text in texts {
                    let answer = try await server.send(route.method, route.path, token: text, body: route.body)
                    #expect(answer.status == 401, "\(route.method) \(route.path)")
                }
            }
        }
    }

    @Test("JWT-20, JWT-21: it counts in one Authorization header and nowhere else")
    func places() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.owner)
            let none = try await server.send("GET", "/v1/admin/cache")
            #expect(none.status == 401 && none.header("WWW-Authenticate") == "Bearer")
            let places: [(String, [(String, String)])] = [
                ("?access_token=\(token)", []), ("", [("Cookie", "access_token=\(token)")]),
                ("", [("Authorization", "Basic \(token)")]), ("", [("Authorization", token)]),
                ("", [("Authorization", "Bearer \(token)"), ("Authorization", "Bearer \(token)")]),
                ("", [("Authorization", "Bearer \(token), Bearer \(token)")]), ("", [("X-Access-Token", token)]),
            ]
            for (query, headers) in places {
                let answer = try await server.send("GET", "/v1/admin/cache\(query)", headers: headers)
                #expect([400, 401].contains(answer.status), "\(query.prefix(5)) \(headers.map(\.0))")
                #expect(!answer.text.contains(token))
            }
        }
    }
}
