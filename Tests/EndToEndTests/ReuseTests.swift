import Foundation
import PostgresTestKit
import ServiceTestKit
import Testing

extension EndToEnd {
    /// What remains of a refresh token that came back: an end, a line in the log, and a count.
    @Suite struct ReuseTests {
        @Test("SES-02: reuse ends the family and no other, and is logged and counted once, without the token")
        func reuse() async throws {
            try await withDeployment([.otp, .user, .simulator]) { deployment in
                let person = Person(deployment)
                let other = try await person.logIn(try await person.proof())
                let first = try await person.logIn(try await person.proof())
                let second = try await refresh(deployment, first)
                // Within the grace of ten seconds it may be a lost answer: nobody is alarmed.
                let repeated = try await refresh(deployment, first)
                #expect(second.status == 200 && repeated.status == 200)
                #expect(repeated.string("refresh_token") == second.string("refresh_token"))
                let third = try await refresh(deployment, second)
                #expect(third.status == 200)
                #expect(try await count(deployment, "reused") == 0)
                #expect(try await lines(deployment).isEmpty)

                // Two generations old.
                let reused = try await refresh(deployment, first)
                #expect(reused.status == 401 && reused.problem == "refresh-token-reused")
                for token in [second, third, first] {
                    let refused = try await refresh(deployment, token)
                    #expect(refused.status == 401 && refused.problem == "invalid-token")
                }
                let token = try #require(third.string("access_token"))
                #expect(try await deployment.api(.user).get("/v1/users/me", token: token).status == 401)
                #expect(try await refresh(deployment, other).status == 200)

                #expect(try await count(deployment, "reused") == 1)
                #expect(try await count(deployment, "refused") == 3)
                #expect(try await count(deployment, "repeated") == 1)
                let lines = try await lines(deployment)
                let session = try await deployment.execute(
                    "select id from sessions where end_reason = 'refresh_reused'", in: .user)
                #expect(lines.count == 1 && session.count == 1)
                let line = try #require(lines.first)
                let id = try #require(session.first ?? nil)
                #expect(line.contains(#""level":"warning""#) && line.contains(id), "\(line)")
                let log = try await deployment.processes.get(.user).log
                for answer in [first, second, third] {
                    let text = try #require(answer.string("refresh_token"))
                    #expect(!log.contains(text))
                }
            }
        }

        private func refresh(_ deployment: Deployment, _ answer: Answer) async throws -> Answer {
            let token = answer.string("refresh_token") ?? ""
            return try await deployment.api(.user).post("/v1/auth/refresh", #"{"refresh_token":"\#(token)"}"#)
        }

        /// What the metric says about an outcome; 0 if there is no such line yet.
        private func count(_ deployment: Deployment, _ outcome: String) async throws -> Int {
            let text = try await deployment.api(.user).get("/metrics").text
            let line = text.split(separator: "\n").first {
                $0.contains("refreshes_total") && $0.contains(#"outcome="\#(outcome)""#)
            }
            return line?.split(separator: " ").last.flatMap { Double($0) }.map { Int($0) } ?? 0
        }

        /// The lines of the log about it.
        private func lines(_ deployment: Deployment) async throws -> [Substring] {
            try await deployment.processes.get(.user).log.split(separator: "\n").filter {
                $0.contains("A replaced refresh token was presented")
            }
        }
    }
}
