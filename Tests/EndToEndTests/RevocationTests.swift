import Foundation
import Identity
import PostgresTestKit
import ServiceTestKit
import Testing
import Tokens

extension EndToEnd {
    /// Asks otp-service for something that needs an access token.
    static func askForCode(_ otp: API, _ token: String) async throws -> Answer {
        let phone = "+9198" + (0..<8).map { _ in "\(Int.random(in: 0...9))" }.joined()
        return try await otp.post("/v1/otp/send", #"{"phone":"\#(phone)","purpose":"change_phone"}"#, token: token)
    }

    static func askForCode(_ deployment: Deployment, _ token: String) async throws -> Answer {
        try await askForCode(deployment.api(.otp), token)
    }

    @Suite struct RevocationTests {
        private static let edDSA = [
            "JWT_ALGORITHM": "EdDSA", "JWT_PRIVATE_KEY": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        ]

        /// How often a sign-out is timed.
        private static let rounds = 7

        /// Signs in and out some times: the other instance must refuse the token at once, otp-service soon.
        ///
        /// Soon is a second, for five rounds of seven: one that met a busy moment does not decide, nor do some that were lucky.
        /// Each must within the ten seconds after which otp-service refuses what it cannot judge, and what was refused is
        /// never taken again: `watch` is for how long all of them are tried, everywhere, every 100 ms.
        private func signOutsAreHeard(
            _ deployment: Deployment, databaseURL: String? = nil, looksItself: Bool = false,
            watch: Duration = .seconds(1)
        ) async throws {
            try await deployment.beside(.user, databaseURL: databaseURL) { second in
                if looksItself { try await waitingReadersAreTold(deployment, [deployment.api(.user), second]) }
                try await deployment.beside(.otp) { secondOTP in
                    let services = (users: [deployment.api(.user), second], otps: [deployment.api(.otp), secondOTP])
                    var tokens: [String] = []
                    var times: [Duration] = []
                    for _ in 0..<Self.rounds {
                        let person = Person(deployment)
                        let login = try await person.logIn(try await person.proof())
                        tokens.append(try #require(login.string("access_token")))
                        times.append(try await heard(tokens[tokens.count - 1], services))
                    }
                    print("SES-06: refused after \(times.map { Int($0 / .milliseconds(1)) }) ms")
                    #expect(times.count { $0 < .seconds(1) } >= Self.rounds - 2, "\(times)")
                    #expect(times.allSatisfy { $0 < .seconds(10) }, "\(times)")
                    let end = ContinuousClock.now + watch
                    repeat {
                        for token in tokens { try await refused(token, services) }
                        try await Task.sleep(for: .milliseconds(100))
                    } while ContinuousClock.now < end
                }
            }
        }

        /// Where no notification comes, an instance has to look by itself while a reader waits. Those of otp-service wait a second
        /// and look then; these wait for longer than the request may take that they wait in.
        private func waitingReadersAreTold(_ deployment: Deployment, _ instances: [API]) async throws {
            let person = Person(deployment)
            let token = try #require(try await person.logIn(try await person.proof()).string("access_token"))
            let now = Date()
            let service = try TokenSigner(
                keys: TokenKeys(current: Secret(bytes: Array(deployment.jwtSecret.utf8)), previous: nil)
            ).sign(
                ServiceToken(service: .otp, audience: .user, expiresAt: now + ServiceToken.lifetime), now: now)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for instance in instances {
                    let begin = try await instance.get("/internal/changes", token: service)
                    let cursor = try #require(begin.string("cursor"), "\(begin.text)")
                    group.addTask {
                        let path = "/internal/changes?cursor=\(cursor)&wait=25"
                        let answer = try await instance.get(path, token: service)
                        #expect(answer.status == 200 && answer.text.contains("token-revoked"), "\(answer.text)")
                    }
                }
                // So that they wait before there is something to tell.
                try await Task.sleep(for: .milliseconds(500))
                #expect(try await instances[0].post("/v1/auth/logout", "{}", token: token).status == 204)
                try await group.waitForAll()
            }
        }

        /// Ends the session of a token that all take, and returns how long the last instance of otp-service took it after the
        /// answer.
        private func heard(_ token: String, _ services: (users: [API], otps: [API])) async throws -> Duration {
            for users in services.users {
                #expect(try await users.get("/v1/users/me", token: token).status == 200)
            }
            for otp in services.otps {
                // The feed may have just begun.
                var status = 0
                for _ in 0..<100 where status != 202 {
                    status = try await EndToEnd.askForCode(otp, token).status
                    if status != 202 { try await Task.sleep(for: .milliseconds(100)) }
                }
                #expect(status == 202)
            }
            #expect(try await services.users[0].post("/v1/auth/logout", "{}", token: token).status == 204)
            let done = ContinuousClock.now
            #expect(try await services.users[1].get("/v1/users/me", token: token).status == 401)
            for otp in services.otps {
                while ContinuousClock.now - done < .seconds(10) {
                    if try await EndToEnd.askForCode(otp, token).status != 202 { break }
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            let time = ContinuousClock.now - done
            try await refused(token, services)
            return time
        }

        /// Nobody takes the token.
        private func refused(_ token: String, _ services: (users: [API], otps: [API])) async throws {
            for users in services.users {
                #expect(try await users.get("/v1/users/me", token: token).status == 401)
            }
            for otp in services.otps {
                let answer = try await EndToEnd.askForCode(otp, token)
                #expect(answer.status == 401 && answer.problem == "invalid-token", "\(answer.text)")
            }
        }

        @Test(
            "SES-06: a logout on one instance is refused by another at once, and by otp-service within a second",
            arguments: [[:], edDSA])
        func everywhere(environment: [String: String]) async throws {
            try await withDeployment([.otp, .user, .simulator], environment: environment) { deployment in
                try await signOutsAreHeard(deployment, watch: .seconds(10))
            }
        }

        @Test("SES-06: the same while every connection that would listen is cut, again and again")
        func withoutListening() async throws {
            try await withDeployment([.otp, .user, .simulator]) { deployment in
                let port = try TestCluster.freePort()
                // Cut before it listens: a connection that has begun to is a reason to look, however soon it is lost.
                let relay = try Relay(listenOn: port, target: deployment.cluster.port, forbidding: "LISTEN ")
                defer { relay.stop() }
                let url = deployment.cluster.tcpURL(deployment.database(.user), port: port)
                try await deployment.processes.get(.user).crash()
                try await deployment.start(.user, databaseURL: url)
                try await signOutsAreHeard(deployment, databaseURL: url, looksItself: true)
                let listening = try await deployment.execute(
                    """
                    select 1 from pg_stat_activity where datname = current_database() and query ilike 'listen%'
                    """, in: .user)
                #expect(listening.isEmpty)
                // Both instances came back to be cut anew.
                #expect(relay.cuts > 4)
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
                try await signOutsAreHeard(deployment, looksItself: true)
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
