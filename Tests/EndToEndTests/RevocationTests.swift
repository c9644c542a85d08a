import Foundation
import PostgresTestKit
import ServiceTestKit
import Testing

extension EndToEnd {
    @Suite struct RevocationTests {
        private static let edDSA = [
            "JWT_ALGORITHM": "EdDSA", "JWT_PRIVATE_KEY": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        ]

        private func askForCode(_ deployment: Deployment, _ token: String) async throws -> Answer {
            let phone = "+9198" + (0..<8).map { _ in "\(Int.random(in: 0...9))" }.joined()
            return try await deployment.api(.otp).post(
                "/v1/otp/send", #"{"phone":"\#(phone)","purpose":"change_phone"}"#, token: token)
        }

        @Test(
            "SES-06: a logout on one instance is refused by another at once, and by otp-service within a second",
            arguments: [[:], edDSA])
        func everywhere(environment: [String: String]) async throws {
            try await withDeployment([.otp, .user, .simulator], environment: environment) { deployment in
                let port = try TestCluster.freePort()
                var second = deployment.environment(.user)
                second["PORT"] = "\(port)"
                let process = try ServiceProcess("user-service", environment: second, port: port)
                let users = [deployment.api(.user), API(port: port)]
                try await users[1].wait(for: "/health/ready", status: 200)

                let person = Person(deployment)
                for round in 0..<3 {
                    let login = try await person.logIn(try await person.proof())
                    let token = try #require(login.string("access_token"))
                    for service in users { #expect(try await service.get("/v1/users/me", token: token).status == 200) }
                    // The feed may have just begun.
                    var status = 0
                    for _ in 0..<40 where status != 202 {
                        status = try await askForCode(deployment, token).status
                        if status != 202 { try await Task.sleep(for: .milliseconds(100)) }
                    }
                    #expect(status == 202, "round \(round)")
                    #expect(try await users[0].post("/v1/auth/logout", "{}", token: token).status == 204)
                    #expect(try await users[1].get("/v1/users/me", token: token).status == 401)
                    try await Task.sleep(for: .seconds(1))
                    let refused = try await askForCode(deployment, token)
                    #expect(refused.status == 401 && refused.problem == "invalid-token")
                }
                try await process.crash()
            }
        }

        @Test("without user-service otp-service signs in, and does not judge what it cannot")
        func alone() async throws {
            try await withDeployment([.otp, .user, .simulator]) { deployment in
                let person = Person(deployment)
                let login = try await person.logIn(try await person.proof())
                let token = try #require(login.string("access_token"))
                try await deployment.processes.get(.user).crash()
                try await deployment.processes.get(.otp).crash()
                try await deployment.start(.otp)
                #expect(try await Person(deployment).sendCode().status == 202)
                let refused = try await askForCode(deployment, token)
                #expect(refused.status == 503 && refused.header("retry-after") != nil)
            }
        }
    }
}
