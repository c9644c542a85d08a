import Foundation
import PostgresTestKit
import ServiceTestKit
import Testing

extension EndToEnd {
    /// The gauges and counters of what otp-service does beside its requests.
    @Suite(.timeLimit(.minutes(5))) struct GaugeMetricTests {
        private static let webhook = "Hq4Zt7Qm2Xv9Kp4Ws1Ld8Rb3"

        @Test("every way in which an attempt can end is there before it has happened, so that the first is an increase")
        func zeros() async throws {
            try await withDeployment([.otp, .simulator]) { deployment in
                var expected = ["otp_gateway_circuit_open": 0.0, "otp_gateway_unreachable": 0]
                for kind in [
                    "configuration", "recipient", "balance", "quota", "request", "unrecognised", "duplicate",
                    "transient",
                    "unknown",
                ] { expected[#"otp_gateway_errors_total{class="\#(kind)"}"#] = 0 }
                for outcome in [
                    "submitted", "retried", "unresolved", "given_up", "key_gone", "refused_configuration",
                    "refused_recipient", "refused_balance", "refused_quota", "refused_request", "refused_unrecognised",
                ] {
                    for channel in ["sms", "voice"] {
                        expected[#"otp_delivery_attempts_total{channel="\#(channel)",outcome="\#(outcome)"}"#] = 0
                    }
                }
                try await deployment.expectMetrics(expected)
            }
        }

        @Test("messages that wait show with the age of the oldest, and that they are gone")
        func outbox() async throws {
            try await withDeployment([.otp, .simulator]) { deployment in
                _ = try await deployment.api(.simulator).put("/account", #"{"ip_allowed":false}"#)
                for _ in 0..<3 { #expect(try await Person(deployment).sendCode().status == 202) }
                try await deployment.expectMetrics(["outbox_depth": 3])
                try await deployment.expectMetric("outbox_oldest_seconds") { $0 > 5 }
                _ = try await deployment.api(.simulator).put("/account", #"{"ip_allowed":true}"#)
                try await deployment.expectMetrics(["outbox_depth": 0, "outbox_oldest_seconds": 0])
                try await deployment.expectMetrics([
                    #"otp_delivery_attempts_total{channel="sms",outcome="submitted"}"#: 3
                ])
                #expect(try #require(try await deployment.metric("delivery_seconds_sum")) > 5)
            }
        }

        @Test("destinations show by state, and the share of codes that are verified there by name")
        func destinations() async throws {
            try await withDeployment([.otp, .simulator]) { deployment in
                // Fifty codes of five minutes ago, forty of them verified, in a block and so in its country.
                try await deployment.execute(
                    """
                    INSERT INTO destinations (destination, state, since, until, override) VALUES
                        ('+91700000', 'open', now(), now() + interval '1 h', NULL),
                        ('+91700001', 'half_open', now(), now() + interval '1 h', NULL),
                        ('+91700002', 'half_open', now(), now() + interval '1 h', NULL),
                        ('+91700003', 'closed', now(), NULL, 'allowed'), ('US', 'open', now(), NULL, 'blocked');
                    WITH made AS (
                        INSERT INTO challenges (id, phone, purpose, key_id, digest, code_length, max_attempts, created_at,
                            expires_at, verified_at)
                        SELECT (left(least_uuid((extract(epoch FROM now()) * 1000)::int8 - 300000 + i)::text, 14) || '7'
                                || right(gen_random_uuid()::text, 21))::uuid,
                            '+91987650' || lpad(i::text, 4, '0'), 'sign_in', 'k', '', 6, 5, now(), now() + interval '5 min',
                            CASE WHEN i <= 40 THEN now() END
                        FROM generate_series(1, 50) i RETURNING id)
                    INSERT INTO messages (challenge_id, number, channel, state, due_at, created_at, updated_at, submitted_at)
                    SELECT id, 0, 'sms', 'submitted', now(), now(), now(), now() FROM made;
                    INSERT INTO destination_cursor (counted_to) VALUES ((extract(epoch FROM now()) * 1000)::int8 - 400000)
                    ON CONFLICT (single) DO UPDATE SET counted_to = excluded.counted_to;
                    """, in: .otp)
                func states(_ kind: String, _ state: String) -> String {
                    #"otp_destinations{kind="\#(kind)",state="\#(state)"}"#
                }
                try await deployment.expectMetrics([
                    states("prefix", "open"): 1, states("prefix", "half-open"): 2, states("prefix", "allowed"): 1,
                    states("prefix", "blocked"): 0, states("country", "blocked"): 1, states("country", "open"): 0,
                    #"otp_conversion_ratio{prefix="+91987650"}"#: 0.8, #"otp_conversion_ratio{prefix="IN"}"#: 0.8,
                ])
            }
        }

        private static func reports(_ outcome: String) -> String {
            #"otp_delivery_reports_total{outcome="\#(outcome)"}"#
        }

        @Test("each delivery report is counted by what it was good for, also one that there was no place for")
        func reported() async throws {
            try await withDeployment([.otp, .simulator], environment: ["MSG91_WEBHOOK_SECRET": Self.webhook]) {
                deployment in
                let otp = deployment.api(.otp)
                func report(_ body: String) async throws {
                    let answer = try await otp.post("/v1/otp/delivery-reports/\(Self.webhook)", body)
                    #expect(answer.status == 200)
                }
                let challenge = try #require(try await Person(deployment).sendCode().string("challenge_id"))
                try await deployment.expectMetrics([
                    #"otp_delivery_attempts_total{channel="sms",outcome="submitted"}"#: 1
                ])
                let delivered = #"{"CRQID":"\#(challenge)-0","status":"1"}"#
                for _ in 0..<3 {
                    try await report(delivered)
                    // Each is a batch of its own: of several of one message in a batch the greatest counts.
                    try await Task.sleep(for: .milliseconds(300))
                }
                let nobody = #"{"CRQID":"01936a00-0000-7000-8000-000000000000-0","status":"1"}"#
                try await report("[\(nobody),\(nobody)]")
                try await report(#"[{"CRQID":"nobody","status":"1"}]"#)
                try await report("nothing")
                try await deployment.expectMetrics([
                    Self.reports("applied"): 1, Self.reports("repeated"): 2, Self.reports("unknown"): 2,
                    Self.reports("unusable"): 1, Self.reports("unreadable"): 1,
                ])

                // Twenty thousand wait while the table is locked; what came more is lost, and counted.
                async let held: [String?] = deployment.execute(
                    "BEGIN; LOCK TABLE messages; SELECT pg_sleep(4); COMMIT", in: .otp)
                let thousand = "[" + Array(repeating: nobody, count: 1000).joined(separator: ",") + "]"
                for _ in 0..<23 { try await report(thousand) }
                _ = try await held
                try await deployment.expectMetric(Self.reports("overflow")) { $0 > 0 }
                let lost = try #require(try await deployment.metric(Self.reports("overflow")))
                try await deployment.expectMetrics([Self.reports("unknown"): 23_002 - lost])
            }
        }

        @Test("requests and statements under way, those that wait, and the connections show while a table is locked")
        func pool() async throws {
            try await withDeployment([.otp, .simulator]) { deployment in
                func pool(_ label: String) -> String { #"postgres_pool_\#(label){lane="writes",pool="otp-service"}"# }
                async let held: [String?] = deployment.execute(
                    "BEGIN; LOCK TABLE messages; SELECT pg_sleep(4); COMMIT", in: .otp)
                var isLocked = false
                while !isLocked {
                    isLocked =
                        try await deployment.execute(
                            "SELECT 1 FROM pg_locks WHERE relation = 'messages'::regclass AND mode = 'AccessExclusiveLock' AND granted",
                            in: .otp) == ["1"]
                }
                async let statuses = withThrowingTaskGroup(of: Int.self) { group in
                    // From as many networks: those of one would wait for each other, before they are statements.
                    for index in 0..<24 {
                        group.addTask {
                            try await deployment.api(.otp).post(
                                "/v1/otp/send", #"{"phone":"+919876\#(100 + index)100"}"#,
                                headers: [("X-Forwarded-For", "203.0.113.\(index)")]
                            ).status
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                // Five connections for writes, two statements on each; what is more than that waits.
                let gauges = [pool("connections"), pool("executing"), pool("waiting"), "http_requests_in_flight"]
                var busy: [String: Double] = [:]
                let end = ContinuousClock.now + .seconds(4)
                while busy[pool("waiting")] ?? 0 == 0, ContinuousClock.now < end {
                    try await Task.sleep(for: .milliseconds(20))
                    busy = try await deployment.metrics(gauges)
                }
                for (gauge, least) in zip(gauges, [1.0, 2, 1, 3]) { #expect(busy[gauge] ?? 0 >= least, "\(busy)") }
                _ = try await held
                let all = try await statuses
                #expect(all.contains(202))
                try await deployment.expectMetrics([
                    pool("waiting"): 0, pool("executing"): 0, "http_requests_in_flight": 1,
                    #"http_requests_total{method="POST",route="/v1/otp/send",status="202"}"#:
                        Double(all.count { $0 == 202 }),
                    #"http_request_duration_seconds_count{method="POST",route="/v1/otp/send"}"#: 24,
                ])
                let sum = #"http_request_duration_seconds_sum{method="POST",route="/v1/otp/send"}"#
                #expect(try #require(try await deployment.metric(sum)) > 5)
            }
        }

        @Test("how many sign-outs are known shows, and how old the knowledge of them is")
        func feed() async throws {
            try await withDeployment([.otp, .user, .simulator]) { deployment in
                let person = Person(deployment)
                let token = try #require(try await person.logIn(try await person.proof()).string("access_token"))
                try await deployment.expectMetrics(["revocation_set_size": 0])
                #expect(try await deployment.api(.user).post("/v1/auth/logout", "", token: token).status == 204)
                try await deployment.expectMetric("revocation_set_size") { $0 > 0 }
                try await deployment.expectMetric("revocation_lag_seconds") { $0 < 3 }
                try await deployment.processes.get(.user).crash()
                try await deployment.expectMetric("revocation_lag_seconds") { $0 > 3 }
            }
        }
    }
}
