import Foundation
import PostgresTestKit
import ServiceTestKit
import Testing

extension EndToEnd {
    /// What is refused, replayed or only recorded, counted where it is decided: in the database, or from memory.
    @Suite(.timeLimit(.minutes(5))) struct RefusalMetricTests {
        private static func from(_ address: String) -> [(String, String)] { [("X-Forwarded-For", address)] }

        private static func send(
            _ deployment: Deployment, _ phone: String, from address: String, key: String? = nil
        ) async throws -> Answer {
            try await deployment.api(.otp).post(
                "/v1/otp/send", #"{"phone":"\#(phone)"}"#,
                headers: from(address) + (key.map { [("Idempotency-Key", $0)] } ?? []))
        }

        private static func resend(_ deployment: Deployment, _ challenge: String, from address: String) async throws
            -> Answer
        {
            try await deployment.api(.otp).post(
                "/v1/otp/resend", #"{"challenge_id":"\#(challenge)"}"#, headers: from(address))
        }

        /// Asks so often at once that the refusals are remembered: then the process answers, and not the database.
        private static func many(
            _ count: Int, _ ask: @escaping @Sendable (Int) async throws -> Answer
        ) async throws -> [Answer] {
            try await withThrowingTaskGroup(of: [Answer].self) { group in
                for worker in 0..<8 {
                    group.addTask {
                        var answers: [Answer] = []
                        for index in stride(from: worker, to: count, by: 8) { answers.append(try await ask(index)) }
                        return answers
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
        }

        private static func sent(_ outcome: String) -> String {
            #"otp_sent_total{channel="sms",country="IN",outcome="\#(outcome)"}"#
        }

        private static func resent(_ outcome: String) -> String {
            #"otp_resent_total{channel="sms",outcome="\#(outcome)"}"#
        }

        private static func throttled(_ limit: String, enforced: Bool = true) -> String {
            #"otp_throttled_total{enforced="\#(enforced)",limit="\#(limit)"}"#
        }

        @Test("what a guard that only records would have refused is counted as such, and a replay as one")
        func recorded() async throws {
            let environment = ["OTP_FRAUD_GUARD": "record", "OTP_SENDS_PER_PREFIX": "3/3600"]
            try await withDeployment([.otp, .simulator], environment: environment) { deployment in
                for number in 1...4 {
                    let answer = try await Self.send(deployment, "+91987652100\(number)", from: "203.0.113.\(number)")
                    #expect(answer.status == 202)
                }
                for _ in 0..<2 {
                    let answer = try await Self.send(
                        deployment, "+919876541001", from: "203.0.113.5", key: "once")
                    #expect(answer.status == 202)
                }
                try await deployment.execute(
                    """
                    INSERT INTO destinations (destination, state, since, until)
                    VALUES ('+91987653', 'open', now(), now() + interval '1 h')
                    """, in: .otp)
                try await deployment.expectMetrics([#"otp_destinations{kind="prefix",state="open"}"#: 1])
                #expect(try await Self.send(deployment, "+919876531001", from: "203.0.113.6").status == 202)
                try await deployment.expectMetrics([
                    Self.sent("accepted"): 6, Self.sent("replayed"): 1,
                    Self.throttled("prefix", enforced: false): 1, Self.throttled("destination", enforced: false): 1,
                ])
            }
        }

        @Test("each refusal of a phone is counted, of send and of resend, by the database or from memory")
        func phone() async throws {
            try await withDeployment([.otp, .simulator]) { deployment in
                let phone = "+919876541002"
                let challenge = try #require(
                    try await Self.send(deployment, phone, from: "203.0.113.1").string("challenge_id"))
                let sends = try await Self.many(200) { index in
                    try await Self.send(deployment, phone, from: "10.1.0.\(index)")
                }
                let resends = try await Self.many(200) { index in
                    try await Self.resend(deployment, challenge, from: "10.2.0.\(index)")
                }
                #expect((sends + resends).allSatisfy { $0.problem == "resend-too-soon" })
                try await deployment.expectMetrics([
                    Self.sent("accepted"): 1, Self.sent("resend_too_soon"): 200, Self.resent("resend_too_soon"): 200,
                    Self.throttled("cooldown"): 400,
                ])

                // What is remembered is forgotten within a second.
                try await Task.sleep(for: .seconds(2))
                let free = "UPDATE phones SET resend_at = '-infinity'"
                try await deployment.execute(free, in: .otp)
                #expect(try await Self.resend(deployment, challenge, from: "203.0.113.1").status == 202)
                for _ in 0..<3 {
                    try await deployment.execute(free, in: .otp)
                    #expect(try await Self.send(deployment, phone, from: "203.0.113.1").status == 202)
                }
                try await deployment.execute(free, in: .otp)
                #expect(try await Self.send(deployment, phone, from: "203.0.113.1").problem == "send-limit-reached")
                try await deployment.expectMetrics([
                    Self.resent("accepted"): 1, Self.sent("accepted"): 4, Self.sent("phone_limit"): 1,
                    Self.throttled("phone"): 1,
                ])

                let other = try #require(
                    try await Self.send(deployment, "+919876541003", from: "203.0.113.1").string("challenge_id"))
                try await deployment.execute("UPDATE sending_switch SET paused = true", in: .otp)
                try await deployment.expectMetrics(["otp_sending_paused": 1])
                #expect(
                    try await Self.resend(deployment, other, from: "203.0.113.1").problem == "sms-budget-exhausted")
                try await deployment.expectMetrics([Self.resent("budget"): 1, Self.throttled("budget"): 1])
            }
        }

        @Test("each refusal of a network is counted, of its messages and of its requests")
        func network() async throws {
            let environment = ["OTP_SENDS_PER_NETWORK": "5/3600", "OTP_REQUESTS_PER_NETWORK": "60/3600"]
            try await withDeployment([.otp, .simulator], environment: environment) { deployment in
                for number in 1...5 {
                    let answer = try await Self.send(deployment, "+9198760\(number)1000", from: "203.0.113.1")
                    #expect(answer.status == 202)
                }
                // One that the database refuses, then many at once, which are remembered, or refused as too many requests.
                #expect(
                    try await Self.send(deployment, "+919876061000", from: "203.0.113.1").problem
                        == "send-limit-reached")
                let sends = try await Self.many(100) { index in
                    try await Self.send(deployment, "+91987\(200 + index)1000", from: "203.0.113.1")
                }
                let limited = sends.count { $0.problem == "send-limit-reached" } + 1
                var tooMany = sends.count { $0.problem == "request-limit-reached" }
                #expect(limited + tooMany == 101, "\(limited), \(tooMany)")
                #expect(try #require(try await deployment.metric(Self.sent("network_limit"))) >= 1)
                try await deployment.expectMetrics([Self.throttled("network"): Double(limited)])

                let path = "/v1/otp/challenges/01936a00-0000-7000-8000-000000000000"
                for _ in 0..<70 {
                    let answer = try await deployment.api(.otp).get(path, headers: Self.from("203.0.113.2"))
                    if answer.problem == "request-limit-reached" { tooMany += 1 }
                }
                try await deployment.expectMetrics([Self.throttled("requests"): Double(tooMany)])

                // Another instance has used up what this one knows nothing of: the statement of the answer says so.
                try await deployment.execute(
                    """
                    INSERT INTO rate_limits (key, tat, requests_tat) SELECT 'network:203.0.113.' || n, 0,
                        (extract(epoch FROM now()) * 1000000)::int8 + 3600000000 FROM generate_series(3, 4) n
                    """, in: .otp)
                let verified = try await deployment.api(.otp).post(
                    "/v1/otp/verify", #"{"challenge_id":"01936a00-0000-7000-8000-000000000000","code":"123456"}"#,
                    headers: Self.from("203.0.113.3"))
                let sent = try await Self.send(deployment, "+919876081000", from: "203.0.113.4")
                #expect(verified.problem == "request-limit-reached" && sent.problem == "request-limit-reached")
                try await deployment.expectMetrics([
                    #"otp_verified_total{outcome="request_limit"}"#: 1, Self.sent("request_limit"): 1,
                    Self.throttled("requests"): Double(tooMany + 2),
                ])
            }
        }
    }
}
