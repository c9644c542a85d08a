import Foundation
import PostgresTestKit
import ServiceTestKit
import Testing

extension EndToEnd {
    @Suite(.timeLimit(.minutes(3))) struct LimitTests {
        private static let limits = [
            "OTP_SENDS_PER_PHONE": "2/86400", "OTP_SENDS_PER_NETWORK": "3/86400",
            "OTP_REQUESTS_PER_NETWORK": "100000/300",
            "OTP_SENDS_PER_PREFIX": "10000/3600",
        ]

        private static func send(_ api: API, _ phone: String, from address: String) async throws -> Answer {
            try await api.post(
                "/v1/otp/send", #"{"phone":"\#(phone)"}"#, headers: [("X-Forwarded-For", address)])
        }

        /// A phone and a network that have had their share, and a phone that is locked after ten wrong codes.
        private struct Exhausted {
            let phone: String
            let network = "203.0.113.7"
            let locked: (challenge: String, code: String)

            init(_ deployment: Deployment) async throws {
                let api = deployment.api(.otp)
                phone = Person(deployment).phone
                for number in 1...2 {
                    #expect(try await send(api, phone, from: "198.51.100.\(number)").status == 202)
                    try await deployment.execute("UPDATE phones SET resend_at = '-infinity'", in: .otp)
                }
                for _ in 1...3 {
                    #expect(try await send(api, Person(deployment).phone, from: network).status == 202)
                }
                let person = Person(deployment)
                let sent = try await send(api, person.phone, from: "198.51.100.3")
                let challenge = try #require(sent.string("challenge_id"))
                let code = try await person.receiveCode()
                try await deployment.execute(
                    "UPDATE phones SET failures = 9 WHERE phone = '\(person.phone)'", in: .otp)
                let wrong = code.dropLast() + (code.hasSuffix("0") ? "1" : "0")
                #expect(try await person.verify(challenge, String(wrong)).problem == "incorrect-code")
                locked = (challenge, code)
            }

            /// Asks an instance, which must refuse all three, and nobody else.
            func check(_ api: API, _ other: String, _ when: String) async throws {
                for _ in 0..<2 {
                    let same = try await send(api, phone, from: "192.0.2.\(Int.random(in: 1...250))")
                    #expect(same.status == 429 && same.problem == "send-limit-reached", "\(when): \(same.text)")
                    let network = try await send(api, other, from: network)
                    #expect(
                        network.status == 429 && network.problem == "send-limit-reached", "\(when): \(network.text)")
                    for refused in [same, network] { #expect(Int(refused.header("retry-after") ?? "") ?? 0 > 0) }
                    let answer = try await api.post(
                        "/v1/otp/verify", #"{"challenge_id":"\#(locked.challenge)","code":"\#(locked.code)"}"#)
                    #expect(answer.status == 429 && answer.problem == "too-many-failures", "\(when): \(answer.text)")
                }
                let free = try await send(api, other, from: "192.0.2.\(Int.random(in: 1...250))")
                #expect(free.status == 202, "\(when): \(free.text)")
            }
        }

        @Test("KEY-09: limits and locks survive a restart, a kill -9 and a change of instance")
        func survive() async throws {
            try await withDeployment([.otp, .simulator], environment: Self.limits) { deployment in
                let exhausted = try await Exhausted(deployment)
                try await exhausted.check(deployment.api(.otp), Person(deployment).phone, "before")
                for signal in [SIGTERM, SIGKILL] {
                    let process = try await deployment.processes.get(.otp)
                    process.send(signal: signal)
                    #expect(try await process.exitCode() == (signal == SIGTERM ? 0 : 128 + SIGKILL))
                    try await deployment.start(.otp)
                    try await exhausted.check(deployment.api(.otp), Person(deployment).phone, "after signal \(signal)")
                }
                let port = try TestCluster.freePort()
                let environment = deployment.environment(.otp).merging(["PORT": "\(port)"]) { $1 }
                let another = try ServiceProcess("otp-service", environment: environment, port: port)
                let api = API(port: port)
                try await api.wait(for: "/health/ready", status: 200)
                try await exhausted.check(api, Person(deployment).phone, "on another instance")
                try await another.crash()
                try? FileManager.default.removeItem(atPath: another.logFile)
            }
        }
    }
}
