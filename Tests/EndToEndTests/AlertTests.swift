import Foundation
import PostgresTestKit
import ServiceTestKit
import Testing

extension EndToEnd {
    /// What the alert rules read in `/metrics` when codes are lost, and the lines that go with it.
    @Suite struct AlertTests {
        private func wait(for series: [String], in deployment: Deployment) async throws {
            let end = ContinuousClock.now + .seconds(30)
            var text = ""
            while ContinuousClock.now < end {
                text = try await deployment.api(.otp).get("/metrics").text
                if series.allSatisfy({ text.contains("\($0)\n") }) { return }
                try await Task.sleep(for: .milliseconds(100))
            }
            let found = text.split(separator: "\n").filter { $0.hasPrefix("otp_") }.joined(separator: "\n")
            throw ServiceTestError("\(series) is not there:\n\(found)")
        }

        @Test("a gateway that hangs up, then one that is gone, and a budget that is used up are seen from outside")
        func seen() async throws {
            let unresolved = #"otp_delivery_attempts_total{channel="sms",outcome="unresolved"}"#
            try await withDeployment([.otp, .simulator], environment: ["SMS_DAILY_BUDGET": "10"]) { deployment in
                let service = try await deployment.processes.get(.otp)
                // The line comes a moment after the gauge; a second one would have come with the first.
                func count(_ line: String, _ expected: Int) async throws -> Bool {
                    let end = ContinuousClock.now + .seconds(10)
                    var found = -1
                    while found < expected, ContinuousClock.now < end {
                        try await Task.sleep(for: .milliseconds(100))
                        found = service.log.components(separatedBy: line).count - 1
                    }
                    return found == expected
                }
                // Counters are there before their first failure, so that it is an increase.
                try await wait(
                    for: ["\(unresolved) 0", "otp_gateway_unreachable 0", "otp_gateway_circuit_open 0"], in: deployment)
                _ = try await deployment.api(.simulator).put("/faults", #"[{"reset_before":true}]"#)
                for _ in 0..<4 { #expect(try await Person(deployment).sendCode().status == 202) }
                try await wait(
                    for: ["\(unresolved) 4", "otp_gateway_unreachable 1", "otp_gateway_circuit_open 0"], in: deployment)
                #expect(try await count("gateway out of reach", 1))
                #expect(try await count("gateway answers again", 0))

                _ = try await deployment.api(.simulator).put("/faults", "[]")
                #expect(try await Person(deployment).sendCode().status == 202)
                try await wait(for: ["otp_gateway_unreachable 0"], in: deployment)
                #expect(try await count("gateway answers again", 1))
                #expect(try await count("gateway out of reach", 1))

                try await deployment.processes.get(.simulator).crash()
                for _ in 0..<5 { #expect(try await Person(deployment).sendCode().status == 202) }
                #expect(try await Person(deployment).sendCode().problem == "sms-budget-exhausted")
                try await wait(
                    for: ["otp_gateway_unreachable 1", "otp_budget_used_ratio 1", "otp_sending_paused 0"],
                    in: deployment)
                #expect(try await count("the daily budget of messages is used up", 1))
                #expect(try await deployment.api(.otp).get("/health/ready").text.contains("degraded"))
            }
        }
    }
}
