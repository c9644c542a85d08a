import Crypto
import Foundation
import Identity
import PostgresTestKit
import ServiceTestKit
import Testing
import Tokens

@testable import OTPService

/// What otp-service makes of tokens where it takes those of users: for a code to change a phone.
@Suite("Hostile bearer tokens at otp-service", .timeLimit(.minutes(2)))
struct HostileTokenTests {
    private func ask(
        _ server: OTPServer, _ token: String?, query: String = "", headers: [(String, String)] = []
    ) async throws -> Answer {
        let body = #"{"phone":"\#(PhoneNumber.fresh().e164)","purpose":"change_phone"}"#
        return try await server.api.post("/v1/otp/send\(query)", body, token: token, headers: headers)
    }

    private func good(_ server: OTPServer) async throws -> String {
        let now = Date()
        return try server.signer.sign(
            AccessToken(userID: UserID(), sessionID: SessionID(), id: .version7(), issuedAt: now, expiresAt: now + 600),
            now: now)
    }

    @Test("JWT-01, -02, -03, -05, -07, -08, -10, -12, -13, -14: one that is wrong in any way is 401, and sends nothing")
    func refused() async throws {
        try await withOTPServer(delivers: false) { server in
            let good = try await good(server)
            let hostile = try #require(
                HostileTokens(good: good) { input, key in
                    HostileTokens.base64(
                        Array(
                            HMAC<SHA256>.authenticationCode(
                                for: Array(input.utf8), using: SymmetricKey(data: key ?? Keys.secret.bytes))))
                })
            // Without the feed a good one cannot be judged: which is another answer than that to a bad one.
            for text in [good, hostile.control] { #expect(try await ask(server, text).status == 503) }
            #expect(hostile.all.count > 100)
            for token in hostile.all {
                // A head that is too long may be answered by the parser, or not at all.
                guard let answer = try? await ask(server, token.text) else {
                    #expect(token.text.utf8.count > 30_000, "\(token.name)")
                    continue
                }
                let expected = token.text.utf8.count > 30_000 ? [401, 400, 431] : [401]
                #expect(expected.contains(answer.status), "\(token.name): \(answer.status)")
                if answer.status == 401 {
                    #expect(answer.header("WWW-Authenticate")?.contains("invalid_token") == true, "\(token.name)")
                }
            }
            #expect(try await server.database.execute("SELECT count(*) FROM challenges") == ["0"])
            #expect(!server.log.text.contains(good))
            #expect(try await server.send(.fresh()).status == 202)
        }
    }

    @Test("JWT-11: a token of another kind is none of a user")
    func kinds() async throws {
        try await withOTPServer(delivers: false) { server in
            let now = Date()
            let phone = PhoneNumber.fresh()
            var texts: [String] = [
                try server.signer.sign(
                    ServiceToken(service: .user, audience: .otp, expiresAt: now + 60), now: now)
            ]
            for purpose in Purpose.allCases {
                texts.append(
                    try server.signer.sign(
                        VerificationToken(
                            subject: phone, purpose: purpose, challengeID: ChallengeID(), expiresAt: now + 300),
                        now: now))
            }
            texts.append(String(repeating: "A", count: 70))
            for text in texts {
                let answer = try await ask(server, text)
                #expect(answer.status == 401 && answer.problem == "invalid-token")
            }
        }
    }

    @Test("JWT-20, JWT-21: it counts in one Authorization header and nowhere else")
    func places() async throws {
        try await withOTPServer(delivers: false) { server in
            let token = try await good(server)
            let none = try await ask(server, nil)
            #expect(none.status == 401 && none.header("WWW-Authenticate") == "Bearer")
            let places: [(String, [(String, String)])] = [
                ("?access_token=\(token)", []), ("", [("Cookie", "access_token=\(token)")]),
                ("", [("Authorization", "Basic \(token)")]), ("", [("Authorization", token)]),
                ("", [("Authorization", "Bearer \(token)"), ("Authorization", "Bearer \(token)")]),
                ("", [("Authorization", "Bearer \(token), Bearer \(token)")]), ("", [("X-Access-Token", token)]),
            ]
            for (query, headers) in places {
                let answer = try await ask(server, nil, query: query, headers: headers)
                #expect([400, 401].contains(answer.status), "\(query.prefix(5)) \(headers.map(\.0))")
                #expect(!answer.text.contains(token))
            }
            #expect(!server.log.text.contains(token))
        }
    }
}
