import PostgresTestKit
import Postgres
import Foundation
import Identity
import Testing
import Tokens

@testable import AdminService

@Suite("Login and logout over HTTP", .timeLimit(.minutes(2)))
struct LoginRouteTests {
    @Test("every answer of login, and what follows from each")
    func login() async throws {
        try await withAdminServer { server in
            let admin = try await server.database.enrol(.support)
            let step = try await server.database.step()
            let wrong = try #require(
                (0...9).map { "00000\($0)" }.first { code in
                    !(step - 3...step + 3).contains { admin.totp.code(step: $0) == code }
                })
            let proof = try await server.sign(server.database.proof(admin.phone))

            let malformed = try await server.login(proof, "12345")
            #expect(malformed.status == 400 && malformed.string("code") == "invalid-request")
            let extra = try await server.send(
                "POST", "/v1/admin/login", body: #"{"verification_token":"x","totp_code":"123456","role":"owner"}"#)
            #expect(extra.status == 400)
            let incorrect = try await server.login(proof, wrong)
            #expect(incorrect.status == 422 && incorrect.string("code") == "incorrect-code")
            #expect(incorrect.json("attempts_left") as? Int == 4)
            #expect(incorrect.string("type") == "/v1/admin/problems/incorrect-code")

            let right = try await server.login(proof, admin.totp.code(step: step))
            #expect(right.status == 200 && right.string("token_type") == "Bearer")
            #expect(right.json("expires_in") as? Int == 43_200)
            #expect(right.string("admin", "role") == "support" && right.string("admin", "phone") == "+9198*****210")
            #expect(right.header("Cache-Control") == "no-store")

            let used = try await server.login(proof, admin.totp.code(step: step + 1))
            #expect(used.status == 409 && used.string("code") == "verification-already-used")

            let stranger = try #require(PhoneNumber(e164: "+919876500000"))
            let refused = try await server.login(try await server.sign(server.database.proof(stranger)), wrong)
            #expect(refused.status == 403 && refused.string("code") == "not-an-admin")

            let second = try await server.sign(server.database.proof(admin.phone))
            for _ in 0..<4 { #expect(try await server.login(second, wrong).status == 422) }
            let locked = try await server.login(second, wrong)
            #expect(locked.status == 429 && locked.string("code") == "too-many-failures")
            #expect(Int(locked.header("Retry-After") ?? "").map { (890...900).contains($0) } == true)
        }
    }

    @Test("a token that is not a proof for operators is 401 and changes nothing")
    func badProofs() async throws {
        try await withAdminServer { server in
            let admin = try await server.database.enrol(.owner)
            let code = admin.totp.code(step: try await server.database.step())
            let signer = TokenSigner(keys: AdminDatabase.keys)
            let other = TokenSigner(
                keys: TokenKeys(current: Secret(bytes: Array(repeating: 7, count: 32)), previous: nil))
            let proof = server.database.proof(admin.phone)
            let now = Date()
            let tokens = [
                "", "x", "a.b.c", try other.sign(proof, now: now),
                try signer.sign(
                    VerificationToken(
                        subject: admin.phone, purpose: .signIn, challengeID: ChallengeID(), expiresAt: now + 300),
                    now: now),
                try signer.sign(
                    VerificationToken(
                        subject: admin.phone, purpose: .adminSignIn, challengeID: ChallengeID(), expiresAt: now - 60),
                    now: now - 360),
                try signer.sign(
                    ServiceToken(service: .otp, audience: .admin, expiresAt: now + 60), now: now),
                try signer.sign(
                    AdminToken(
                        adminID: admin.id, sessionID: SessionID(), id: .version7(), issuedAt: now,
                        expiresAt: now + 60), now: now),
            ]
            for token in tokens {
                let answer = try await server.login(token, code)
                #expect(answer.status == 401 && answer.string("code") == "invalid-token")
            }
            #expect(try await server.database.recorded() == ["operator.created owner"])
            #expect(try await server.login(try await server.sign(proof), code).status == 200)
        }
    }

    @Test("after logout the token is dead on the next request")
    func logout() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.viewer)
            #expect(try await server.send("GET", "/v1/admin/dashboard", token: token).status == 200)
            #expect(try await server.send("POST", "/v1/admin/logout", token: token).status == 204)
            for (method, path) in [("GET", "/v1/admin/dashboard"), ("POST", "/v1/admin/logout")] {
                let answer = try await server.send(method, path, token: token)
                #expect(answer.status == 401)
                #expect(answer.header("WWW-Authenticate")?.contains("invalid_token") == true)
            }
            let rows = try await server.database.test.client.read(
                "SELECT action, address, request_id IS NOT NULL FROM audit_log WHERE actor = 'admin' ORDER BY at, id")
            let recorded = try rows.map { row in
                let (action, address, hasRequest) = try row.decode((String, String, Bool).self)
                return "\(action) \(address) \(hasRequest)"
            }
            #expect(recorded == ["operator.signed_in 127.0.0.1 true", "operator.signed_out 127.0.0.1 true"])
        }
    }

    @Test("with the database away, login and every read are 503 within five seconds")
    func databaseAway() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.viewer)
            await server.database.test.client.shutDown()
            let started = ContinuousClock.now
            for answer in [
                try await server.send("GET", "/v1/admin/dashboard", token: token),
                try await server.login(
                    try await server.sign(
                        server.database.proof(
                            try #require(PhoneNumber(e164: "+919876543210")))), "123456"),
            ] {
                #expect(answer.status == 503 && answer.header("Retry-After") != nil)
            }
            #expect(ContinuousClock.now - started < .seconds(8))
        }
    }
}
