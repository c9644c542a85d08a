import Foundation
import HTTPServer
import Identity
import Postgres
import PostgresTestKit
import Testing
import Tokens

@testable import AdminService

@Suite("Who tries to be an operator", .timeLimit(.minutes(2)))
struct HostileOperatorTests {
    @Test("ADM-20: twenty wrong tries from twenty addresses: five are looked at, then 429, for a right code too")
    func addresses() async throws {
        try await withAdminServer { server in
            let admin = try await server.database.enrol(.support)
            let wrong = try await admin.wrongText(server.database)
            var statuses: [Int] = []
            func attempt(_ number: Int, _ code: String) async throws -> AdminServer.Answer {
                // A proof of its own each time: what is counted is the operator's, not the proof's.
                let proof = try await server.sign(server.database.proof(admin.phone))
                return try await server.send(
                    "POST", "/v1/admin/login", body: #"{"verification_token":"\#(proof)","totp_code":"\#(code)"}"#,
                    headers: [("X-Forwarded-For", "203.0.113.\(number)")])
            }
            for number in 1...20 {
                let answer = try await attempt(number, wrong)
                statuses.append(answer.status)
                if answer.status == 429 { #expect(answer.header("Retry-After") != nil) }
            }
            #expect(statuses == Array(repeating: 422, count: 4) + Array(repeating: 429, count: 16))
            let right = try await attempt(21, admin.totp.code(step: try await server.database.step()))
            #expect(right.status == 429)
            #expect(try await server.database.scalar("SELECT totp_failures::int8 FROM admins") == 5)
            #expect(try await server.database.scalar("SELECT count(*) FROM admin_sessions") == 0)
            // Each refusal is recorded with the address that it came from.
            let addresses = try await server.database.scalar(
                """
                SELECT count(DISTINCT address) FROM audit_log
                 WHERE action IN ('operator.sign_in_failed', 'operator.sign_in_refused') AND address LIKE '203.0.113.%'
                """)
            #expect(addresses == 21)
        }
    }

    @Test("ADM-20: a phone proof alone signs nobody in, whatever stands for the second factor")
    func phoneOnly() async throws {
        try await withAdminServer { server in
            let admin = try await server.database.enrol(.owner)
            let proof = try await server.sign(server.database.proof(admin.phone))
            for member in [
                "", #","totp_code":"""#, #","totp_code":null"#, #","totp_code":123456"#, #","totp_code":"      ""#,
                #","totp_code":["123456"]"#, #","totp_code":true"#, #","totp_code":"１２３４５６""#,
                #","totp_code":"123456","totp_code":"""#, #","mfa":false"#, #","totp_code":"","remember":true"#,
            ] {
                let answer = try await server.send(
                    "POST", "/v1/admin/login", body: #"{"verification_token":"\#(proof)"\#(member)}"#)
                #expect(answer.status == 400 && answer.string("access_token") == nil, "\(member): \(answer.text)")
            }
            #expect(try await server.database.scalar("SELECT count(*) FROM admin_sessions") == 0)
            // Nothing of that was a guess, and the proof is still good.
            let code = admin.totp.code(step: try await server.database.step())
            #expect(try await server.login(proof, code).status == 200)
        }
    }

    @Test("ADM-20: a user's access token is nothing here, not even that of an operator's own phone")
    func usersToken() async throws {
        try await withAdminServer { server in
            let admin = try await server.database.enrol(.owner)
            let session = try #require(SessionID(admin.id.description))
            let now = Date()
            let token = try TokenSigner(keys: AdminDatabase.keys).sign(
                AccessToken(
                    userID: try #require(UserID(admin.id.description)), sessionID: session, id: .version7(),
                    issuedAt: now, expiresAt: now + 900), now: now)
            for route in AccessTests.routes {
                let answer = try await server.send(route.method, route.path, token: token, body: route.body)
                #expect(answer.status == 401, "\(route.method) \(route.path): \(answer.status)")
                #expect(answer.header("WWW-Authenticate")?.hasPrefix("Bearer") == true)
            }
            #expect(server.users.asked.isEmpty && server.users.done.isEmpty && server.otp.done.isEmpty)
            let page = try await TestBrowser(server, session: token).get("/")
            #expect(page.status == 303 && page.header("Location")?.hasPrefix("/sign-in") == true)
        }
    }

    @Test("ADM-03: members that nobody asked for are refused, and nothing is done")
    func protectedMembers() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.owner)
            let user = "/v1/admin/users/\(StubService.userID)"
            let extras = [
                #""role":"admin""#, #""is_admin":true"#, #""id":"0190a0b0-0000-7000-8000-00000000ffff""#,
                #""phone":"+447400123456""#, #""blocked":false"#, #""created_at":"2000-01-01T00:00:00Z""#,
                #""token_epoch":0"#, #""actor":"system""#, #""outcome":"done""#,
            ]
            for extra in extras {
                let patch = try await server.send("PATCH", user, token: token, body: "{\(extra)}")
                #expect(patch.status == 405 && patch.header("Allow")?.contains("GET") == true)
                for path in [
                    "\(user)/suspend", "\(user)/reactivate", "\(user)/sign-out", "/v1/admin/destinations/IN/block",
                ] {
                    let answer = try await server.send("POST", path, token: token, body: #"{"reason":"x",\#(extra)}"#)
                    #expect(answer.status == 400 && answer.string("code") == "invalid-request", "\(path) \(extra)")
                }
                let body = #"{"phone":"+919876500000","role":"viewer",\#(extra)}"#
                #expect(try await server.send("POST", "/v1/admin/admins", token: token, body: body).status == 400)
            }
            #expect(server.users.asked.isEmpty && server.users.done.isEmpty && server.otp.done.isEmpty)
            #expect(try await server.database.scalar("SELECT count(*) FROM admins") == 1)
            #expect(try await server.database.recorded() == ["operator.created owner", "operator.signed_in"])
        }
    }
}
