import Foundation
import PostgresTestKit
import ServiceTestKit
import Testing

extension EndToEnd {
    /// Asks otp-service for something that needs an access token.
    static func askForCode(_ deployment: Deployment, _ token: String) async throws -> Answer {
        let phone = "+9198" + (0..<8).map { _ in "\(Int.random(in: 0...9))" }.joined()
        return try await deployment.api(.otp).post(
            "/v1/otp/send", #"{"phone":"\#(phone)","purpose":"change_phone"}"#, token: token)
    }

    @Suite struct RevocationTests {
        private static let edDSA = [
            "JWT_ALGORITHM": "EdDSA", "JWT_PRIVATE_KEY": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        ]

        /// Signs in and out some times: the other instance must refuse the token at once, otp-service soon.
        ///
        /// Soon is a second. One round of three has to make it, for a machine may be busy; each must within the ten seconds after
        /// which otp-service refuses what it cannot judge, and once it has refused it never takes the token again.
        private func signOutsAreHeard(_ deployment: Deployment) async throws {
            try await deployment.beside(.user) { second in
                let first = deployment.api(.user)
                let person = Person(deployment)
                var best = Duration.seconds(60)
                for round in 0..<3 {
                    let login = try await person.logIn(try await person.proof())
                    let token = try #require(login.string("access_token"))
                    for service in [first, second] {
                        #expect(try await service.get("/v1/users/me", token: token).status == 200)
                    }
                    // The feed may have just begun.
                    var status = 0
                    for _ in 0..<100 where status != 202 {
                        status = try await EndToEnd.askForCode(deployment, token).status
                        if status != 202 { try await Task.sleep(for: .milliseconds(100)) }
                    }
                    #expect(status == 202, "round \(round)")
                    #expect(try await first.post("/v1/auth/logout", "{}", token: token).status == 204)
                    let done = ContinuousClock.now
                    #expect(try await second.get("/v1/users/me", token: token).status == 401)
                    while status == 202, ContinuousClock.now - done < .seconds(10) {
                        status = try await EndToEnd.askForCode(deployment, token).status
                        if status == 202 { try await Task.sleep(for: .milliseconds(20)) }
                    }
                    best = min(best, ContinuousClock.now - done)
                    for _ in 0..<10 {
                        let refused = try await EndToEnd.askForCode(deployment, token)
                        #expect(refused.status == 401 && refused.problem == "invalid-token")
                    }
                }
                #expect(best < .seconds(1))
            }
        }

        @Test(
            "SES-06: a logout on one instance is refused by another at once, and by otp-service within a second",
            arguments: [[:], edDSA])
        func everywhere(environment: [String: String]) async throws {
            try await withDeployment([.otp, .user, .simulator], environment: environment) { deployment in
                try await signOutsAreHeard(deployment)
            }
        }

        @Test("SES-06: the same while every connection that listens is cut, again and again")
        func withoutListening() async throws {
            try await withDeployment([.otp, .user, .simulator]) { deployment in
                let cutting = Task {
                    var cut = 0
                    while !Task.isCancelled {
                        let gone = try await deployment.execute(
                            """
                            select pg_terminate_backend(pid) from pg_stat_activity
                            where datname = current_database() and query ilike 'listen%'
                            """, in: .user)
                        cut += gone.count
                        try? await Task.sleep(for: .milliseconds(10))
                    }
                    return cut
                }
                do {
                    try await signOutsAreHeard(deployment)
                } catch {
                    cutting.cancel()
                    throw error
                }
                cutting.cancel()
                // Both instances came back to be cut anew.
                #expect(try await cutting.value > 2)
            }
        }

        @Test("SES-06: the same while no notification arrives")
        func withoutNotifications() async throws {
            try await withDeployment([.otp, .user, .simulator]) { deployment in
                // What the service calls is ours from here on: it counts, and tells nobody.
                let database = deployment.database(.user)
                try await deployment.execute(
                    """
                    create sequence swallowed;
                    create function public.pg_notify(text, text) returns void
                    language sql as $$ select nextval('public.swallowed') $$;
                    alter database \(database) set search_path = public, pg_catalog
                    """, in: .user)
                // The setting holds for new sessions.
                try await deployment.processes.get(.user).crash()
                try await deployment.start(.user)
                try await signOutsAreHeard(deployment)
                let swallowed = try await deployment.execute("select last_value from swallowed", in: .user)
                #expect((swallowed.first?.flatMap { Int($0) } ?? 0) >= 3)
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
                let refused = try await EndToEnd.askForCode(deployment, token)
                #expect(refused.status == 503 && refused.header("retry-after") != nil)
            }
        }
    }
}
