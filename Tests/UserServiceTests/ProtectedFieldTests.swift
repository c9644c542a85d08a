import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing
import Tokens

@testable import UserService

@Suite("What a request may not set")
struct ProtectedFieldTests {
    /// What stands in the row of a user, or is thought to, and is not the user's to write.
    static let members = [
        #""role":"admin""#, #""roles":["owner"]"#, #""is_admin":true"#, #""admin":true"#,
        #""id":"0190a0b0-0000-7000-8000-00000000ffff""#, #""user_id":"0190a0b0-0000-7000-8000-00000000ffff""#,
        #""phone":"+447400123456""#, #""phone_verified":true"#, #""status":"active""#, #""blocked":false"#,
        #""created_at":"2000-01-01T00:00:00Z""#, #""updated_at":"2000-01-01T00:00:00Z""#,
        #""last_sign_in_at":"2000-01-01T00:00:00Z""#, #""sign_in_not_before":null"#, #""token_epoch":0"#,
        #""confirmed_until":"2099-01-01T00:00:00Z""#, #""failed_confirmations":0"#, #""__proto__":{"role":"admin"}"#,
        #""Display_Name":"x""#,
    ]

    /// All of all users, as text.
    private static func rows(_ server: UserServer) async throws -> [String] {
        try await server.database.client.read("SELECT u::text FROM users u ORDER BY id").map {
            try $0.decode((String).self)
        }
    }

    @Test("ADM-03: a profile refuses every member that is not the user's to set, with one that is beside it")
    func profile() async throws {
        try await withUserServer { server in
            let token = try await server.login().accessToken
            let before = try await Self.rows(server)
            for member in Self.members {
                for body in ["{\(member)}", #"{"display_name":"Asha",\#(member)}"#, #"{\#(member),"locale":"en"}"#] {
                    let answer = try await server.send("PATCH", "/v1/users/me", token: token, body: body)
                    #expect(answer.status == 400 && answer.code == "invalid-request", "\(body): \(answer.text)")
                }
            }
            #expect(try await Self.rows(server) == before)
            for path in ["phone", "sessions"] {
                let body = #"{"verification_token":"x","phone":"+447400123456","role":"admin"}"#
                let answer = try await server.send("POST", "/v1/users/me/\(path)", token: token, body: body)
                #expect([400, 405].contains(answer.status), "\(path): \(answer.status)")
            }
            #expect(try await Self.rows(server) == before)
        }
    }

    @Test("ADM-03: a sign-up with such a member makes nobody, and does not use the proof up")
    func signUp() async throws {
        try await withUserServer { server in
            let proof = try await server.proof()
            for member in Self.members {
                let body = #"{"verification_token":"\#(proof)",\#(member)}"#
                let answer = try await server.send("POST", "/v1/auth/login", body: body)
                #expect(answer.status == 400 && answer.code == "invalid-request", "\(member): \(answer.text)")
            }
            #expect(try await Self.rows(server).isEmpty)
            let session = try await server.login(proof)
            #expect(session.status == 201)
            let plain = try await server.count(
                """
                SELECT count(*) FROM users WHERE phone = '+919876543210' AND status = 'active'
                   AND created_at > now() - interval '1 minute' AND sign_in_not_before IS NULL AND confirmed_until IS NULL
                """)
            #expect(plain == 1)
            for (path, body) in [
                ("/v1/auth/refresh", #"{"refresh_token":"\#(session.refreshToken)","role":"admin"}"#),
                ("/v1/auth/logout", #"{"everywhere":false,"user_id":"0190a0b0-0000-7000-8000-00000000ffff"}"#),
            ] {
                let answer = try await server.send("POST", path, token: session.accessToken, body: body)
                #expect(answer.status == 400, "\(path): \(answer.text)")
            }
            #expect(try await server.me(session.accessToken).status == 200)
        }
    }
}
