import Foundation
import Identity
import MSG91Simulator
import PostgresTestKit
import ServiceTestKit
import Testing

@testable import OTPService

@Suite("Delivery reports", .timeLimit(.minutes(5)))
struct DeliveryReportTests {
    static let secret = "kT9vQ2xW7mZ4rB1nY6cH3dJ8"
    static let environment = ["MSG91_WEBHOOK_SECRET": secret, "OTP_SENDS_PER_PREFIX": "100000/60"]

    static func path(_ secret: String = secret) -> String { "/v1/otp/delivery-reports/\(secret)" }

    @Test("SMS-08: whatever order reports come in, repeated or late, the greatest holds: the database as the rule")
    func rule() async throws {
        try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
            let store = ReportStore(postgres: database.client)
            for state in MessageState.allCases {
                for tries in 0...1 {
                    for reports in [
                        [ReportedState.submitted], [.failed], [.delivered], [.failed, .delivered],
                        [.delivered, .failed],
                        [.submitted, .failed], [.failed, .submitted], [.delivered, .submitted, .failed, .failed],
                    ] {
                        let id = ChallengeID()
                        try await database.execute(
                            DaysTests.insert("\(id)", at: Date(), state: state.rawValue)
                                + "UPDATE messages SET tries = \(tries) WHERE challenge_id = '\(id)'")
                        var expected = state
                        for report in reports { expected = expected.after(report, tries: tries) ?? expected }
                        let all = reports.map {
                            DeliveryReport(name: MessageName(challengeID: id, number: 0), state: $0)
                        }
                        // One after the other and, for every second case, all in one batch.
                        if Bool.random() {
                            _ = try await store.apply(all)
                        } else {
                            for report in all { _ = try await store.apply([report]) }
                        }
                        let row = try await database.execute("SELECT state FROM messages WHERE challenge_id = '\(id)'")
                        #expect(row == [expected.rawValue], "\(state) \(tries) \(reports)")
                        #expect(try await store.apply(all).changed == 0, "a replay changes nothing")
                    }
                }
            }
        }
    }

    @Test("SMS-08: a message is found by our name, else by the gateway's and the phone; never by one of them alone")
    func matching() async throws {
        try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
            let store = ReportStore(postgres: database.client)
            let id = ChallengeID()
            let phone = PhoneNumber(e164: "+919876543210")
            try await database.execute(
                DaysTests.insert("\(id)", at: Date()) + "UPDATE messages SET gateway_id = 'abc'")
            let other = PhoneNumber(e164: "+919876543211")
            for (report, known) in [
                (DeliveryReport(gatewayID: "abc", phone: other, state: .delivered), 0),
                (DeliveryReport(gatewayID: "abd", phone: phone, state: .delivered), 0),
                (DeliveryReport(name: MessageName(challengeID: id, number: 1), state: .delivered), 0),
                (DeliveryReport(name: MessageName(challengeID: ChallengeID(), number: 0), state: .delivered), 0),
                (DeliveryReport(gatewayID: "abc", phone: phone, state: .failed, reason: .full), 1),
            ] { #expect(try await store.apply([report]).known == known) }
            #expect(try await database.execute("SELECT state || ' ' || reason FROM messages") == ["failed full"])
            let both = DeliveryReport(
                name: MessageName(challengeID: ChallengeID(), number: 0), gatewayID: "abc", phone: phone,
                state: .delivered)
            #expect(try await store.apply([both]).changed == 1)
            #expect(try await database.execute("SELECT state, delivered_at IS NOT NULL FROM messages") == ["delivered"])
            #expect(try await database.execute("SELECT reason FROM messages") == [nil])
        }
    }

    @Test("SMS-08: wrong secrets find nothing, the right one is always told 200, and nothing is verified by a report")
    func forged() async throws {
        try await withOTPServer(Self.environment) { server in
            let phone = PhoneNumber.fresh()
            let challenge = try await server.challenge(phone)
            _ = try await server.wait(for: "submitted", of: challenge)
            let body = #"{"CRQID":"\#(challenge)-0","status":"1"}"#
            for wrong in ["x", Self.secret + "x", String(Self.secret.dropLast()), Self.secret.lowercased(), "%00"] {
                #expect(try await server.api.post(Self.path(wrong), body).problem == "not-found")
            }
            for body in [
                "", "{", #"{"status":"verified","CRQID":"\#(challenge)-0"}"#, #"{"CRQID":"nobody","status":"1"}"#,
            ] {
                let answer = try await server.api.post(Self.path(), body)
                #expect(answer.status == 200 && answer.body.isEmpty, "\(body)")
            }
            let plain = try await server.api.call(
                "POST", Self.path(), Array("data=[]".utf8), nil, [("Content-Type", "x")])
            #expect(plain.status == 200)
            let large = try await server.api.call(
                "POST", Self.path(), Array(repeating: 0x20, count: 200_000), nil, [("Content-Type", "application/json")]
            )
            #expect(large.status == 200)
            let huge = try? await server.api.call(
                "POST", Self.path(), Array(repeating: 0x20, count: 5_000_000), nil,
                [("Content-Type", "application/json")])
            #expect(huge == nil || huge?.status == 413)
            // Other paths take as little as ever.
            let send = try await server.api.call(
                "POST", "/v1/otp/send", Array(repeating: 0x20, count: 17_000), nil,
                [("Content-Type", "application/json")])
            #expect(send.status == 413)
            try await Task.sleep(for: .milliseconds(200))
            let view = try await server.api.get("/v1/otp/challenges/\(challenge)")
            #expect(view.string("status") == "active" && view.string("delivery", "state") == "submitted")
            for _ in 0..<3 { #expect(try await server.api.post(Self.path(), body).status == 200) }
            _ = try await server.wait(for: "delivered", of: challenge)
            let delivered = try await server.api.get("/v1/otp/challenges/\(challenge)")
            #expect(delivered.string("status") == "active" && delivered.string("delivery", "state") == "delivered")
            #expect(try await server.database.execute("SELECT count(*) FROM messages") == ["1"])
            #expect(!server.log.text.contains(Self.secret), "the secret is in no log")
        }
    }

    @Test("without a secret there is no such path")
    func absent() async throws {
        try await withOTPServer(delivers: false) { server async throws in
            for path in [Self.path(), Self.path("undefined"), Self.path("nil")] {
                #expect(try await server.api.post(path, "{}").status == 404)
            }
        }
    }

    @Test("SMS-08: a burst of reports costs a few statements, and every one is written")
    func burst() async throws {
        try await withOTPServer(Self.environment) { server in
            var challenges: [String] = []
            for _ in 0..<20 { challenges.append(try await server.challenge(.fresh())) }
            for challenge in challenges { _ = try await server.wait(for: "submitted", of: challenge) }
            let all = challenges
            let statuses = try await RaceTests.parallel(8) { _ in
                var statuses: Set<Int> = []
                for index in 0..<125 {
                    let body = #"{"CRQID":"\#(all[index % 20])-0","status":"\#(index % 3 == 0 ? 8 : 1)"}"#
                    statuses.insert(try await server.api.post(Self.path(), body).status)
                }
                return statuses
            }
            #expect(statuses.allSatisfy { $0 == [200] })
            #expect(try await server.send(.fresh()).status == 202)
            for challenge in challenges {
                _ = try await server.wait(for: "delivered", of: challenge, within: .seconds(60))
            }
        }
    }

    @Test(
        "each of MSG91's shapes shows its delivery, though it comes twice and before the answer is written",
        arguments: [Reporting.Format.v2, .v3, .json])
    func shapes(format: Reporting.Format) async throws {
        try await withOTPServer(Self.environment) { server in
            var reporting = Reporting(url: server.api.base + Self.path(), format: format)
            reporting.duplicate = true
            server.gateway.setReporting(reporting)
            let challenge = try await server.challenge(.fresh())
            _ = try await server.wait(for: "delivered", of: challenge)
            reporting.missingCRQID = true
            reporting.delay = 300
            server.gateway.setReporting(reporting)
            let unnamed = try await server.challenge(.fresh())
            _ = try await server.wait(for: "delivered", of: unnamed)
            let failing = PhoneNumber(e164: "+9198\(Int.random(in: 1000...9999))9002") ?? .fresh()
            let failed = try await server.challenge(failing)
            #expect(try await server.wait(for: "failed", of: failed) == "failed unreachable")
            let view = try await server.api.get("/v1/otp/challenges/\(failed)")
            #expect(view.string("delivery", "state") == "failed" && view.string("status") == "active")
        }
    }
}
