import Foundation
import PostgresTestKit
import ServiceTestKit
import Testing

extension EndToEnd {
    /// What must hold whichever instance is asked, and whatever becomes of it.
    @Suite struct InstanceTests {
        @Test("RACE-12: no request needs the instance that answered the one before")
        func twoInstances() async throws {
            try await withDeployment([.otp, .user, .simulator]) { deployment in
                try await deployment.beside(.otp) { secondOTP in
                    try await deployment.beside(.user) { secondUser in
                        let first = deployment.api(.user)
                        for round in 0..<5 {
                            let person = Person(deployment)
                            let sent = try await person.sendCode()
                            let challenge = try #require(sent.string("challenge_id"))
                            let code = try await person.receiveCode()
                            let answer = #"{"challenge_id":"\#(challenge)","code":"\#(code)"}"#
                            let verified = try await secondOTP.post("/v1/otp/verify", answer)
                            #expect(verified.status == 200)
                            let proof = try #require(verified.string("verification_token"))
                            let again = try await deployment.api(.otp).post("/v1/otp/verify", answer)
                            #expect(again.status == 410)

                            let body = #"{"verification_token":"\#(proof)"}"#
                            let login = try await secondUser.post("/v1/auth/login", body)
                            #expect(login.status == 201)
                            let old = login.string("refresh_token") ?? ""
                            let refreshed = try await first.post("/v1/auth/refresh", #"{"refresh_token":"\#(old)"}"#)
                            #expect(refreshed.status == 200)
                            let token = try #require(refreshed.string("access_token"))
                            // Both have let the token in before it is taken back.
                            for users in [first, secondUser] {
                                #expect(try await users.get("/v1/users/me", token: token).status == 200)
                            }
                            #expect(try await secondUser.post("/v1/auth/logout", "{}", token: token).status == 204)
                            #expect(try await first.get("/v1/users/me", token: token).status == 401, "round \(round)")
                            let late = refreshed.string("refresh_token") ?? ""
                            let refused = try await first.post("/v1/auth/refresh", #"{"refresh_token":"\#(late)"}"#)
                            #expect(refused.status == 401)
                            #expect(try await first.post("/v1/auth/login", body).status == 409)
                        }
                    }
                }
            }
        }

        @Test("SES-07: a sign-out outlives kill -9 and a restart of every service")
        func restart() async throws {
            try await withDeployment { deployment in
                let person = Person(deployment)
                let out = try await person.logIn(try await person.proof())
                let token = try #require(out.string("access_token"))
                let live = try await person.logIn(try await person.proof())
                let other = try #require(live.string("access_token"))
                let operatorToken = try await signedInOperator(deployment)
                let users = deployment.api(.user)
                #expect(try await users.post("/v1/auth/logout", "{}", token: token).status == 204)
                let logout = try await deployment.api(.admin).post("/v1/admin/logout", "", token: operatorToken)
                #expect(logout.status == 204)
                for part in [Deployment.Part.user, .otp, .admin] { try await deployment.processes.get(part).crash() }
                for part in [Deployment.Part.user, .otp, .admin] { try await deployment.start(part) }

                #expect(try await users.get("/v1/users/me", token: token).status == 401)
                let refresh = #"{"refresh_token":"\#(out.string("refresh_token") ?? "")"}"#
                #expect(try await users.post("/v1/auth/refresh", refresh).status == 401)
                #expect(try await deployment.api(.admin).get("/v1/admin/cache", token: operatorToken).status == 401)
                // Until it has the feed, otp-service says that it cannot tell; it never says yes.
                var status = 503
                for _ in 0..<200 where status == 503 {
                    status = try await EndToEnd.askForCode(deployment, token).status
                    if status == 503 { try await Task.sleep(for: .milliseconds(50)) }
                }
                #expect(status == 401)
                #expect(try await users.get("/v1/users/me", token: other).status == 200)
                #expect(try await EndToEnd.askForCode(deployment, other).status == 202)
            }
        }

        private func signedInOperator(_ deployment: Deployment) async throws -> String {
            let person = Person(deployment)
            let created = try await deployment.run(.admin, "create-admin", "--phone", person.phone, "--role", "owner")
            let secret = try #require(created.output.firstMatch(of: /secret=([A-Z2-7]+)/)?.1)
            let proof = try await person.proof(purpose: "admin_sign_in")
            let code = TOTP.code(base32: String(secret), at: .now)
            let login = try await deployment.api(.admin).post(
                "/v1/admin/login", #"{"verification_token":"\#(proof)","totp_code":"\#(code)"}"#)
            return try #require(login.string("access_token"), "\(login.text)")
        }

        @Test("SES-14: a challenge that was planted is worth nothing to who knows its id")
        func fixation() async throws {
            try await withDeployment([.otp, .user, .simulator]) { deployment in
                let (otp, users) = (deployment.api(.otp), deployment.api(.user))
                // The attacker asks for the code, the victim receives it and completes the sign-in on that challenge.
                let victim = Person(deployment)
                let asked = try await victim.sendCode()
                let planted = try #require(asked.string("challenge_id"))
                let code = try await victim.receiveCode()
                let verified = try await victim.verify(planted, code)
                let proof = try #require(verified.string("verification_token"))
                for member in ["session_id", "sid", "id", "challenge_id"] {
                    let body = #"{"verification_token":"\#(proof)","\#(member)":"\#(planted)"}"#
                    #expect(try await users.post("/v1/auth/login", body).status == 400)
                }
                let body = #"{"verification_token":"\#(proof)"}"#
                let login = try await users.post(
                    "/v1/auth/login", body, headers: [("Cookie", "session=\(planted)"), ("X-Session-ID", planted)])
                #expect(login.status == 201)
                for answer in [asked, verified, login] { #expect(answer.header("set-cookie") == nil) }

                let sessions = try await deployment.execute("SELECT id FROM sessions", in: .user)
                #expect(sessions.count == 1 && sessions != [planted])
                #expect(!login.text.contains(planted))
                for text in [planted, planted.replacing("-", with: ""), planted.uppercased()] {
                    #expect(try await users.get("/v1/users/me", token: text).status == 401)
                    let refresh = #"{"refresh_token":"\#(text)"}"#
                    #expect(try await users.post("/v1/auth/refresh", refresh).status == 401)
                    let again = #"{"verification_token":"\#(text)"}"#
                    #expect(try await users.post("/v1/auth/login", again).status == 401)
                }
                // Nor is it with the code, should the victim have told it.
                #expect(try await victim.verify(planted, code).status == 410)
                let resend = try await otp.post("/v1/otp/resend", #"{"challenge_id":"\#(planted)"}"#)
                #expect(resend.status == 410)
                let me = try await users.get("/v1/users/me", token: login.string("access_token"))
                #expect(me.status == 200 && me.string("phone") == victim.phone)
            }
        }
    }
}
