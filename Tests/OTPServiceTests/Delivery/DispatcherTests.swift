import Foundation
import HTTPClient
import Identity
import Logging
import MSG91Simulator
import PostgresTestKit
import ServiceTestKit
import Testing

@testable import OTPService

@Suite("Dispatchers", .timeLimit(.minutes(5)))
struct DispatcherTests {
    static let environment = ["OTP_SENDS_PER_PREFIX": "1000000/60", "OTP_SENDS_PER_NETWORK": "1000000/60"]

    /// Less than a lease; on a busy machine an answer that takes its seven seconds is asked for twice, and rightly.
    static let patience = Duration.seconds(25)

    /// Runs more dispatchers, as other instances would, until nothing is queued.
    func drain(_ server: OTPServer, instances: Int) async throws {
        let logger = Logger(label: "other")
        let running = Task {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.assembly.dispatcher.run() }
                for _ in 1..<max(instances, 1) {
                    let client = HTTPClient(
                        configuration: HTTPClientConfiguration(connectionsPerHost: 64), logger: logger)
                    let other = OTPAssembly(
                        settings: server.settings, keys: Keys.tokens, postgres: server.database.client, client: client,
                        userServiceClient: client, logger: logger, gatewayTime: Self.patience)
                    group.addTask { try await client.run() }
                    group.addTask { try await other.dispatcher.run() }
                }
                try await group.waitForAll()
            }
        }
        let end = ContinuousClock.now + .seconds(200)
        while try await server.assembly.outbox.depth().count > 0, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(50))
        }
        running.cancel()
        try? await running.value
    }

    @Test(
        "RACE-13: three instances send 300 messages once each; what a stopped one held is taken over, and its late report is ignored"
    )
    func race() async throws {
        try await withOTPServer(Self.environment, delivers: false, gatewayTime: Self.patience) { server in
            server.gateway.updateAccount { $0.latency = 50 }
            var phones: [String: PhoneNumber] = [:]
            for _ in 0..<300 {
                let phone = PhoneNumber.fresh()
                phones[try await server.challenge(phone)] = phone
            }
            // One takes thirty, sends them, and is stopped before it can say so.
            let held = try await server.assembly.outbox.claim(30)
            #expect(held.count == 30)
            try await server.database.execute("UPDATE messages SET due_at = now() WHERE state = 'queued'")
            try await drain(server, instances: 3)
            let late = try await server.assembly.outbox.report(held.map { ($0, .failed(reason: "late")) })
            #expect(late == 0)
            let states = try await server.database.execute("SELECT DISTINCT state::text FROM messages")
            #expect(states == ["submitted"])
            // Not in the inbox, which takes the same text once in ten seconds: how often the gateway was asked.
            let asked = server.gateway.requests().compactMap { $0.parameters["CRQID"] }
            #expect(Set(asked) == Set(phones.keys.map { "\($0)-0" }) && asked.count == phones.count)
        }
    }

    @Test("OBX-06: ten thousand queued messages drain without one late code")
    func tenThousand() async throws {
        try await withOTPServer(Self.environment, delivers: false) { server in
            _ = try await RaceTests.parallel(8) { _ in
                for _ in 0..<1250 {
                    // Two of the same number are one too many now and then.
                    while true {
                        let order = try ModelTests.order(.fresh(), .signIn, at: Date())
                        let decision = try await server.assembly.store.send(order, network: "10.0.0.1")
                        if case .accepted = decision { break }
                    }
                }
            }
            try await drain(server, instances: 2)
            let rows = try await server.database.execute(
                """
                SELECT count(*) || ' ' || count(*) FILTER (WHERE m.state = 'submitted' AND m.submitted_at < c.expires_at)
                FROM messages m JOIN challenges c ON c.id = m.challenge_id
                """)
            #expect(rows == ["10000 10000"])
        }
    }

    @Test("OBX-06, OBX-03: after an outage only the newest living codes go out")
    func outage() async throws {
        try await withOTPServer(Self.environment, delivers: false) { server in
            var newest: [String: PhoneNumber] = [:]
            for index in 0..<30 {
                let phone = PhoneNumber.fresh()
                let first = try await server.challenge(phone)
                switch index % 3 {
                case 0: newest[first] = phone
                case 1:
                    // Superseded while the gateway was away.
                    try await server.database.execute(
                        "UPDATE phones SET resend_at = now() WHERE phone = '\(phone.e164)'")
                    newest[try await server.challenge(phone)] = phone
                default:
                    try await server.database.execute(
                        "UPDATE challenges SET created_at = now() - interval '301 s', expires_at = now() - interval '1 s' WHERE id = '\(first)'"
                    )
                }
            }
            try await drain(server, instances: 1)
            #expect(Set(server.gateway.messages().map(\.mobile)) == Set(newest.values.map(\.digits)))
            #expect(server.gateway.messages().count == 20)
            let states = try await server.database.execute(
                "SELECT state || ' ' || coalesce(reason, '') || ' ' || count(*) FROM messages GROUP BY state, reason ORDER BY 1"
            )
            #expect(states == ["dropped superseded 10", "failed expired 10", "submitted  20"])
        }
    }

    @Test("OBX-07: a row of nobody's making is ended with its reason, and the rest goes out")
    func garbage() async throws {
        try await withOTPServer(Self.environment, delivers: false) { server in
            let phone = PhoneNumber.fresh()
            let strange = try await server.challenge(.fresh())
            let challenge = try await server.challenge(phone)
            try await server.database.execute(
                """
                UPDATE challenges SET key_id = 'gone' WHERE id = '\(strange)';
                INSERT INTO messages (challenge_id, number, channel, due_at, created_at, updated_at)
                VALUES ('\(ChallengeID())', 0, 'sms', now(), now(), now());
                """)
            try await drain(server, instances: 1)
            #expect(try await server.wait(for: "failed", of: strange) == "failed key is gone")
            _ = try await server.wait(for: "submitted", of: challenge)
            let orphan = try await server.database.execute(
                "SELECT state || ' ' || reason FROM messages m WHERE NOT EXISTS (SELECT FROM challenges c WHERE c.id = m.challenge_id)"
            )
            #expect(orphan == ["failed expired"])
        }
    }

    @Test("OBX-05: what nobody rang for, because its instance is gone, is found by the poll")
    func poll() async throws {
        try await withOTPServer(Self.environment) { server in
            for _ in 0..<3 {
                let order = try ModelTests.order(.fresh(), .signIn, at: Date())
                _ = try await server.assembly.store.send(order, network: "10.0.0.1")
                _ = try await server.codes(order.phone, within: .seconds(20))
            }
        }
    }

    /// The bytes of a text, as PostgreSQL writes a `bytea`.
    static func hexadecimal(_ text: String) -> String {
        text.utf8.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    @Test("I7: no code is in any table, whatever was done, or in the log")
    func dump() async throws {
        var environment = Self.environment
        environment["MSG91_WEBHOOK_SECRET"] = DeliveryReportTests.secret
        try await withOTPServer(environment) { server in
            server.gateway.setReporting(Reporting(url: server.api.base + DeliveryReportTests.path(), format: .v3))
            var codes: Set<String> = []
            for index in 0..<40 {
                let phone = PhoneNumber.fresh()
                let challenge = try await server.challenge(phone)
                let code = try await server.codes(phone)[0]
                codes.insert(code)
                let wrong = try #require(OneTimeCode(code)).wrong.digits
                if index % 2 == 0 { _ = try await server.verify(challenge, wrong) }
                if index % 3 == 0 { _ = try await server.verify(challenge, code) }
                _ = try await server.wait(for: "delivered", of: challenge)
            }
            try await server.database.execute(
                "UPDATE statistics_progress SET counted_to = counted_to - interval '10 minutes'")
            let tables = try await server.database.execute(
                "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            )
            #expect(tables.count > 8)
            var text = ""
            for table in tables.compactMap({ $0 }) {
                let rows = try await server.database.execute("SELECT t::text FROM \(table) t")
                text += rows.compactMap { $0 }.joined(separator: "\n") + "\n"
            }
            #expect(text.contains("delivered"))
            // Six digits are also found in times and ids: they count only where they stand alone.
            let words = Set(
                (text + server.log.text).split { !$0.isLetter && !$0.isNumber && $0 != "-" && $0 != "." && $0 != "+" }
                    .map(String.init))
            #expect(codes.isDisjoint(with: words))
            // As a column of bytes shows them.
            for code in codes { #expect(!text.contains(Self.hexadecimal(code))) }
            let keys = ["kX3v9QwZ", "bV7xQ2mN", DeliveryReportTests.secret, "simulator-auth-key"]
            for key in keys { #expect(!text.contains(key) && !server.log.text.contains(key)) }
        }
    }
}
