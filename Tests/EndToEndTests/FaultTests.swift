import Foundation
import PostgresTestKit
import ServiceTestKit
import Testing

extension EndToEnd {
    @Suite struct FaultTests {
        @Test func theDatabaseGoesAndComesBack() async throws {
            let cluster = try TestCluster.shared.get()
            let port = try TestCluster.freePort()
            try await withDeployment([.otp, .user, .simulator]) { deployment in
                for part in [Deployment.Part.otp, .user] {
                    let old = try await deployment.processes.get(part)
                    old.send(signal: SIGTERM)
                    #expect(try await old.exitCode() == 0)
                }
                var relay = try Relay(listenOn: port, target: cluster.port)
                for part in [Deployment.Part.otp, .user] {
                    try await deployment.start(
                        part, databaseURL: cluster.tcpURL(deployment.database(part), port: port))
                }
                let person = Person(deployment)
                let proof = try await person.proof()
                let token = try #require(try await person.logIn(proof).string("access_token"))

                relay.stop()
                let start = ContinuousClock.now
                async let send = Person(deployment).sendCode()
                async let me = deployment.api(.user).get("/v1/users/me", token: token)
                for answer in [try await send, try await me] {
                    #expect(answer.status == 503 && answer.problem == "service-unavailable")
                    #expect(answer.header("retry-after") != nil)
                }
                #expect(ContinuousClock.now - start < .seconds(9))
                for part in [Deployment.Part.otp, .user] {
                    try await deployment.api(part).wait(for: "/health/ready", status: 503, within: .seconds(20))
                    let live = try await deployment.api(part).get("/health/live")
                    #expect(live.status == 200)
                }

                relay = try Relay(listenOn: port, target: cluster.port)
                for part in [Deployment.Part.otp, .user] {
                    try await deployment.api(part).wait(for: "/health/ready", status: 200, within: .seconds(30))
                    #expect(try await deployment.processes.get(part).isRunning)
                }
                let again = try await deployment.api(.user).get("/v1/users/me", token: token)
                #expect(again.status == 200)
                relay.stop()
            }
        }

        @Test func aHangingGatewayDelaysNoSend() async throws {
            try await withDeployment([.otp, .simulator]) { deployment in
                let gateway = try await deployment.processes.get(.simulator)
                gateway.send(signal: SIGSTOP)
                for _ in 0..<20 {
                    let start = ContinuousClock.now
                    let sent = try await Person(deployment).sendCode()
                    // It is stopped: whoever waited for it would wait for seven seconds.
                    #expect(sent.status == 202 && ContinuousClock.now - start < .seconds(5))
                }
                gateway.send(signal: SIGCONT)
            }
        }

        @Test func sigtermLetsRequestsFinishAndExitsWithZero() async throws {
            try await withDeployment { deployment in
                for part in [Deployment.Part.otp, .user, .admin, .simulator] {
                    let process = try await deployment.processes.get(part)
                    let api = deployment.api(part)
                    let people = (0..<10).map { _ in Person(deployment) }
                    async let statuses = withTaskGroup(of: Int.self) { group in
                        for person in people {
                            group.addTask {
                                part == .otp
                                    ? ((try? await person.sendCode())?.status ?? 0)
                                    : ((try? await api.get("/health/live"))?.status ?? 0)
                            }
                        }
                        return await group.reduce(into: []) { $0.append($1) }
                    }
                    try await Task.sleep(for: .milliseconds(3))
                    process.send(signal: SIGTERM)
                    let start = ContinuousClock.now
                    let code = try await process.exitCode(within: .seconds(30))
                    #expect(code == 0, "\(part.rawValue): \(process.log)")
                    #expect(ContinuousClock.now - start < .seconds(30))
                    // What was accepted was answered properly; what came too late found a closed door.
                    let seen = await statuses
                    #expect(seen.allSatisfy { [0, 200, 202, 503].contains($0) })
                    try await deployment.start(part)
                }
            }
        }

        @Test func noSecretReachesALog() async throws {
            try await withDeployment([.otp, .user, .simulator], environment: ["LOG_LEVEL": "trace"]) { deployment in
                let person = Person(deployment)
                let challenge = try #require(try await person.sendCode().string("challenge_id"))
                let code = try await person.receiveCode()
                let proof = try #require(try await person.verify(challenge, code).string("verification_token"))
                let login = try await person.logIn(proof)
                let token = try #require(login.string("access_token"))
                _ = try await deployment.api(.user).get("/v1/users/me?access_token=\(token)", token: token)
                _ = try await person.sendCode()
                for part in [Deployment.Part.otp, .user] {
                    let log = try await deployment.processes.get(part).log
                    #expect(!log.isEmpty)
                    let canaries =
                        deployment.secretValues + [person.digits, proof, token, login.string("refresh_token") ?? "-"]
                    for canary in canaries { #expect(!log.contains(canary)) }
                    #expect(!log.contains("\"\(code)\""))
                }
            }
        }
    }
}
