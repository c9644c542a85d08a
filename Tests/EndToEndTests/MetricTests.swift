import Foundation
import PostgresTestKit
import ServiceTestKit
import Testing

extension EndToEnd {
    /// What operators are alerted by, read where Prometheus reads it, of a process that has just begun to count.
    @Suite(.timeLimit(.minutes(5))) struct MetricTests {
        private static let webhook = "Hq4Zt7Qm2Xv9Kp4Ws1Ld8Rb3"
        private static let environment = [
            "OTP_SENDS_PER_PREFIX": "20/3600", "SMS_DAILY_BUDGET": "100", "MSG91_WEBHOOK_SECRET": webhook,
        ]

        @Test("SMS-02: each send, refusal, answer, delivery and report is counted, as what it was")
        func counted() async throws {
            try await withDeployment([.otp, .simulator], environment: Self.environment) { deployment in
                let otp = deployment.api(.otp)
                var challenges: [String] = []
                for number in 1000..<1022 {
                    let sent = try await otp.post("/v1/otp/send", #"{"phone":"+91987651\#(number)"}"#)
                    #expect(sent.status == (number < 1020 ? 202 : 429))
                    if let challenge = sent.string("challenge_id") { challenges.append(challenge) }
                }
                _ = try await otp.post("/v1/otp/send", #"{"phone":"+12125552368"}"#)
                _ = try await otp.post("/v1/otp/resend", #"{"challenge_id":"\#(challenges[0])"}"#)
                for path in ["wrong", Self.webhook] {
                    _ = try await otp.post("/v1/otp/delivery-reports/\(path)", #""nothing""#)
                }
                try await answer(deployment, challenges)
                try await deployment.expectMetrics(
                    [
                        #"otp_sent_total{channel="sms",country="IN",outcome="accepted"}"#: 20,
                        #"otp_sent_total{channel="sms",country="IN",outcome="prefix_limit"}"#: 2,
                        #"otp_sent_total{channel="sms",country="US",outcome="destination_not_allowed"}"#: 1,
                        #"otp_throttled_total{enforced="true",limit="prefix"}"#: 2,
                        #"otp_resent_total{channel="sms",outcome="resend_too_soon"}"#: 1,
                        #"otp_throttled_total{enforced="true",limit="cooldown"}"#: 1,
                        #"otp_throttled_total{enforced="true",limit="lock"}"#: 1,
                        #"otp_verified_total{outcome="verified"}"#: 1,
                        #"otp_verified_total{outcome="incorrect"}"#: 1,
                        #"otp_verified_total{outcome="not_active"}"#: 1,
                        #"otp_verified_total{outcome="locked"}"#: 1,
                        #"otp_delivery_attempts_total{channel="sms",outcome="submitted"}"#: 20,
                        "delivery_seconds_count": 20, #"otp_delivery_reports_total{outcome="unreadable"}"#: 1,
                        "otp_budget_used_ratio": 0.2, "otp_gateway_circuit_open": 0, "otp_sending_paused": 0,
                    ])
            }
        }

        /// A wrong code and the right one, a challenge that nobody knows, and a phone that is locked.
        private func answer(_ deployment: Deployment, _ challenges: [String]) async throws {
            let otp = deployment.api(.otp)
            func verify(_ challenge: String, _ code: String) async throws -> Int {
                try await otp.post("/v1/otp/verify", #"{"challenge_id":"\#(challenge)","code":"\#(code)"}"#).status
            }
            var code: String?
            let end = ContinuousClock.now + .seconds(30)
            while code == nil, ContinuousClock.now < end {
                let inbox = try await deployment.api(.simulator).get("/messages?mobile=919876511000")
                let list = try JSONSerialization.jsonObject(with: Data(inbox.body)) as? [[String: Any]]
                code = list?.first?["otp"] as? String
                if code == nil { try await Task.sleep(for: .milliseconds(20)) }
            }
            let right = try #require(code)
            let wrong = right.dropLast() + (right.hasSuffix("0") ? "1" : "0")
            #expect(try await verify(challenges[0], String(wrong)) == 422)
            #expect(try await verify(challenges[0], right) == 200)
            #expect(try await verify("01936a00-0000-7000-8000-000000000000", "123456") == 410)
            try await deployment.execute(
                "UPDATE phones SET locked_until = now() + interval '900 s' WHERE phone = '+919876511001'", in: .otp)
            #expect(try await verify(challenges[1], "123456") == 429)
        }

        @Test("a gateway that refuses all, paused sending and blocked destinations show, and that they are over")
        func states() async throws {
            try await withDeployment([.otp, .simulator], environment: Self.environment) { deployment in
                let otp = deployment.api(.otp)
                func send() async throws { _ = try await Person(deployment).sendCode() }
                try await account(deployment, #"{"ip_allowed":false}"#)
                try await send()
                try await deployment.expectMetrics(["otp_gateway_circuit_open": 1])
                let errors = try await deployment.metric(#"otp_gateway_errors_total{class="configuration"}"#)
                let attempts = try await deployment.metric(
                    #"otp_delivery_attempts_total{channel="sms",outcome="refused_configuration"}"#)
                #expect(errors ?? 0 >= 1 && attempts ?? 0 >= 1)
                try await account(deployment, #"{"ip_allowed":true}"#)
                try await deployment.expectMetrics(["otp_gateway_circuit_open": 0])

                try await deployment.execute("UPDATE sending_switch SET paused = true", in: .otp)
                try await deployment.expectMetrics(["otp_sending_paused": 1])
                try await send()
                #expect(try await deployment.run(.otp, "resume").code == 0)
                try await deployment.expectMetrics(
                    ["otp_sending_paused": 0, #"otp_throttled_total{enforced="true",limit="budget"}"#: 1])

                try await deployment.execute(
                    "INSERT INTO destinations (destination, since, override) VALUES ('IN', now(), 'blocked')", in: .otp)
                let blocked = #"otp_destinations{kind="country",state="blocked"}"#
                try await deployment.expectMetrics([blocked: 1, #"otp_destinations{kind="prefix",state="blocked"}"#: 0])
                try await send()
                #expect(try await deployment.run(.otp, "allow", "IN").code == 0)
                try await deployment.expectMetrics(
                    [blocked: 0, #"otp_throttled_total{enforced="true",limit="destination"}"#: 1])
                #expect(try await otp.get("/health/live").status == 200)
            }
        }

        private func account(_ deployment: Deployment, _ json: String) async throws {
            let answer = try await deployment.api(.simulator).call(
                "PUT", "/account", Array(json.utf8), nil, [("Content-Type", "application/json")])
            #expect(answer.status == 200)
        }
    }
}
