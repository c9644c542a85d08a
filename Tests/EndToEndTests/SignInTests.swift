import Foundation
import PostgresTestKit
import ServiceTestKit
import Testing

extension EndToEnd {
    @Suite struct SignInTests {
        @Test func aPersonSignsInReadsTheProfileAndLogsOut() async throws {
            try await withDeployment([.otp, .user, .simulator]) { deployment in
                let person = Person(deployment)
                let users = deployment.api(.user)

                let sent = try await person.sendCode()
                #expect(sent.status == 202)
                #expect(
                    sent.members == [
                        "challenge_id", "channel", "expires_at", "expires_in", "resend_after", "resends_left",
                        "attempts_left", "code_length",
                    ])
                let challenge = try #require(sent.string("challenge_id"))
                let code = try await person.receiveCode()
                let verified = try await person.verify(challenge, code)
                #expect(verified.status == 200 && verified.integer("expires_in") == 300)
                let again = try await person.verify(challenge, code)
                #expect(again.status == 410 && again.problem == "challenge-not-active")

                let proof = try #require(verified.string("verification_token"))
                let login = try await person.logIn(proof)
                #expect(login.status == 201 && login.string("token_type") == "Bearer")
                #expect(login.header("cache-control") == "no-store")
                let token = try #require(login.string("access_token"))
                let me = try await users.get("/v1/users/me", token: token)
                #expect(me.status == 200 && me.string("phone") == person.phone)
                let renamed = try await users.patch("/v1/users/me", #"{"display_name":"Asha"}"#, token: token)
                #expect(renamed.status == 200 && renamed.string("display_name") == "Asha")

                let refreshed = try await users.post(
                    "/v1/auth/refresh", #"{"refresh_token":"\#(login.string("refresh_token") ?? "")"}"#)
                #expect(refreshed.status == 200)
                let second = try #require(refreshed.string("access_token"))

                let logout = try await users.post("/v1/auth/logout", "{}", token: second)
                #expect(logout.status == 204)
                for dead in [second, reencoded(second), token] {
                    let answer = try await users.get("/v1/users/me", token: dead)
                    #expect(answer.status == 401)
                }
                let late = try await users.post(
                    "/v1/auth/refresh", #"{"refresh_token":"\#(refreshed.string("refresh_token") ?? "")"}"#)
                #expect(late.status == 401)

                // The same phone is the same user; the cooldown after a verified code is over at once.
                let laterProof = try await person.proof()
                let back = try await person.logIn(laterProof)
                #expect(back.status == 200 && back.string("user", "id") == login.string("user", "id"))
            }
        }

        /// The same token with the unused bits of its last character changed: other text, same signature.
        private func reencoded(_ token: String) -> String {
            let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
            guard let last = token.last, let index = alphabet.firstIndex(of: last) else { return token }
            return String(token.dropLast()) + String(alphabet[index ^ 1])
        }

        @Test func anOperatorSignsInWithPhoneAndTOTP() async throws {
            try await withDeployment { deployment in
                let person = Person(deployment)
                let created = try await deployment.run(
                    .admin, "create-admin", "--phone", person.phone, "--role", "owner")
                #expect(created.code == 0)
                let secret = try #require(created.output.firstMatch(of: /secret=([A-Z2-7]+)/)?.1)
                let admin = deployment.api(.admin)

                let stranger = Person(deployment)
                let strangersProof = try await stranger.proof(purpose: "admin_sign_in")
                let refused = try await admin.post(
                    "/v1/admin/login", #"{"verification_token":"\#(strangersProof)","totp_code":"000000"}"#)
                #expect(refused.status == 403 && refused.problem == "not-an-admin")

                let proof = try await person.proof(purpose: "admin_sign_in")
                let code = TOTP.code(base32: String(secret), at: .now)
                let login = try await admin.post(
                    "/v1/admin/login", #"{"verification_token":"\#(proof)","totp_code":"\#(code)"}"#)
                #expect(login.status == 200)
                let token = try #require(login.string("access_token"))
                let users = try await admin.get("/v1/admin/users", token: token)
                #expect(users.status == 200 && users.header("age") != nil && users.members.contains("as_of"))
                let dashboard = try await admin.get("/v1/admin/dashboard?days=30", token: token)
                #expect(dashboard.status == 200)
                let logout = try await admin.post("/v1/admin/logout", "", token: token)
                #expect(logout.status == 204)
                let after = try await admin.get("/v1/admin/users", token: token)
                #expect(after.status == 401)

                // A proof for operators signs nobody in at user-service, and the other way round.
                let other = try await Person(deployment).proof(purpose: "admin_sign_in")
                let wrong = try await stranger.logIn(other)
                #expect(wrong.status == 401)
            }
        }
    }
}
