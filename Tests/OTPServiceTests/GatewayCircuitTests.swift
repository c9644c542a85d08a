import Foundation
import HTTPServer
import Identity
import MSG91Simulator
import PostgresTestKit
import ServiceTestKit
import Testing
import Tokens

@testable import OTPService

@Suite("The circuit, with the simulator", .timeLimit(.minutes(5)))
struct GatewayCircuitTests {
    private func waitUntil(
        within limit: Duration = .seconds(60), _ condition: @Sendable () async throws -> Bool
    ) async throws {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw ServiceTestError("not within \(limit)")
    }

    @Test(
        "an account that is refused burns no message: it waits in the outbox and goes out when the account is well again",
        arguments: ["ip", "balance", "key", "template"])
    func holdsAndRecovers(fault: String) async throws {
        try await withOTPServer { server in
            let well = server.gateway.account()
            server.gateway.updateAccount { account in
                switch fault {
                case "ip": account.ipAllowed = false
                case "balance": account.balance = 0
                case "key": account.authKeys = ["another"]
                default: account.otpTemplates = [:]
                }
            }
            let first = PhoneNumber.fresh()
            let challenge = try await server.challenge(first)
            try await waitUntil { server.assembly.watch.isOpen }
            // What comes now is not even tried.
            let asked = server.gateway.requests().count
            let others = (0..<5).map { _ in PhoneNumber.fresh() }
            for phone in others { #expect(try await server.send(phone).status == 202) }
            let state = try await server.api.get("/v1/otp/challenges/\(challenge)").string("delivery", "state")
            #expect(state == "queued")
            // Probes now and then at most, five at once: after three quarters of a second, then after two and four.
            #expect(server.gateway.requests().count <= asked + 15)
            #expect(throws: (any Error).self) { try server.assembly.watch.check() }
            server.gateway.updateAccount { $0 = well }
            for phone in [first] + others { _ = try await server.codes(phone, within: .seconds(60)) }
            _ = try await server.wait(for: "submitted", of: challenge)
            #expect(!server.assembly.watch.isOpen)
            try server.assembly.watch.check()
            let log = server.log.text
            #expect(log.contains("error gateway circuit open") && log.contains("notice gateway circuit closed"))
            #expect(log.components(separatedBy: "gateway circuit open").count == 2, "one line, however many messages")
        }
    }

    @Test("a code that dies while the circuit is open takes its message with it")
    func expires() async throws {
        try await withOTPServer { server in
            server.gateway.updateAccount { $0.ipAllowed = false }
            let challenge = try await server.challenge(.fresh())
            try await waitUntil { server.assembly.watch.isOpen }
            // More than probes would find, which end one each, four a second.
            try await server.database.execute(
                """
                INSERT INTO messages (challenge_id, number, channel, due_at, created_at, updated_at)
                SELECT first_id(now() - n * interval '1 ms'), 0, 'sms', now(), now(), now() FROM generate_series(1, 700) n
                """)
            try await server.database.execute(
                "UPDATE challenges SET expires_at = expires_at - interval '1 hour', created_at = created_at - interval '1 hour'"
            )
            try await server.database.execute("UPDATE messages SET due_at = now() WHERE lease IS NULL")
            _ = try await server.wait(for: "failed", of: challenge)
            try await waitUntil(within: .seconds(30)) {
                try await server.database.execute("SELECT count(*) FROM messages WHERE state <> 'failed'") == ["0"]
            }
            #expect(server.gateway.messages().isEmpty)
        }
    }

    @Test("dead messages are ended without being taken, living and leased ones are not")
    func endDead() async throws {
        try await withOTPServer(["OTP_SENDS_PER_PREFIX": "100000/60"], delivers: false) { server in
            let outbox = server.assembly.outbox
            for _ in 0..<3 { _ = try await server.send(.fresh()) }
            #expect(try await outbox.endDead() == 0)
            #expect(try await outbox.claim(1).count == 1)
            #expect(try await outbox.endDead(at: Date(timeIntervalSinceNow: 10)) == 0)
            // Two wait, one is leased for 30 s; the codes live 300 s.
            try await server.database.execute(
                "UPDATE challenges SET expires_at = expires_at - interval '1 hour', created_at = created_at - interval '1 hour'"
            )
            #expect(try await outbox.endDead() == 2)
            #expect(try await outbox.endDead() == 0)
            let states = try await server.database.execute(
                "SELECT state || ' ' || coalesce(reason, '') FROM messages ORDER BY 1")
            #expect(states == ["failed expired", "failed expired", "queued "])
        }
    }

    @Test("one odd number fails by itself and does not keep the others waiting")
    func oddNumber() async throws {
        try await withOTPServer { server in
            let odd = try #require(PhoneNumber(e164: "+919876550418"))
            let challenge = try await server.challenge(odd)
            try await waitUntil { server.assembly.watch.isOpen }
            let good = PhoneNumber.fresh()
            _ = try await server.send(good)
            _ = try await server.codes(good, within: .seconds(60))
            #expect(try await server.wait(for: "failed", of: challenge) == "failed configuration 418")
            #expect(!server.assembly.watch.isOpen)
        }
    }

    @Test("OBX-04: many odd numbers, older than the others, keep them waiting for moments")
    func oddNumbers() async throws {
        try await withOTPServer(["OTP_SENDS_PER_PREFIX": "100000/60"]) { server in
            var odd: [String] = []
            for number in 0..<12 {
                let suffix = ["0201", "0301", "0418"][number % 3]
                let phone = try #require(PhoneNumber(e164: "+91987\(100 + number)" + suffix))
                odd.append(try await server.challenge(phone))
            }
            try await waitUntil { server.assembly.watch.isOpen }
            let good = (0..<10).map { _ in PhoneNumber.fresh() }
            for phone in good { #expect(try await server.send(phone).status == 202) }
            for phone in good { _ = try await server.codes(phone, within: .seconds(20)) }
            for challenge in odd {
                #expect(try await server.wait(for: "failed", of: challenge).hasPrefix("failed "))
            }
            try await waitUntil { !server.assembly.watch.isOpen }
        }
    }

    @Test("the console is told the state, since when, why, what to do, and what the self-test found")
    func status() async throws {
        try await withOTPServer { server in
            let now = Date()
            let token = try server.signer.sign(
                ServiceToken(service: .admin, audience: .otp, expiresAt: now.addingTimeInterval(60)), now: now)
            #expect(try await server.api.get("/internal/gateway").status == 401)
            let idle = try await server.api.get("/internal/gateway", token: token)
            #expect(idle.status == 200 && idle.text == #"{"state":"closed"}"#)
            let phone = PhoneNumber.fresh()
            let challenge = try await server.challenge(phone)
            _ = try await server.wait(for: "submitted", of: challenge)
            let test = SelfTest(gateway: MSG91(account: server.settings.gateway, client: server.client))
            server.assembly.watch.note(await test())
            let well = try await server.api.get("/internal/gateway", token: token)
            #expect(well.members == ["state", "last_success_at", "self_test"])
            #expect(well.string("self_test", "key") == "passed" && well.string("self_test", "template") == "passed")
            server.gateway.updateAccount { $0.ipAllowed = false }
            _ = try await server.challenge(.fresh())
            try await waitUntil { server.assembly.watch.isOpen }
            let open = try await server.api.get("/internal/gateway", token: token)
            #expect(open.string("state") == "open" && open.string("reason") == "configuration")
            #expect(open.string("code") == "418" && open.string("action")?.contains("Allow-list") == true)
            #expect(
                open.members == [
                    "state", "since", "reason", "code", "action", "next_probe_at", "last_success_at", "self_test",
                ])
        }
    }

    @Test("OPS-03: a refusing or silent gateway shows in /health/ready as degraded, and never makes it 503")
    func health() async throws {
        try await withOTPServer { server in
            try await server.api.wait(for: "/health/ready", status: 200)
            let well = try await server.api.get("/health/ready")
            #expect(
                well.status == 200 && well.text == #"{"status":"ready","checks":{"revocations":"ok","gateway":"ok"}}"#)
            server.gateway.updateAccount { $0.authKeys = [] }
            _ = try await server.challenge(.fresh())
            try await waitUntil { server.assembly.watch.isOpen }
            let degraded = try await server.api.get("/health/ready")
            #expect(
                degraded.status == 200
                    && degraded.text == #"{"status":"degraded","checks":{"revocations":"ok","gateway":"degraded"}}"#)
        }
    }
}

@Suite("The self-test of key and template", .timeLimit(.minutes(5)))
struct SelfTestTests {
    private func report(
        _ environment: [String: String] = [:], _ prepare: @escaping @Sendable (Gateway) -> Void = { _ in }
    ) async throws -> (report: SelfTestReport, requests: [SeenRequest], messages: Int, log: String) {
        try await withOTPServer(environment, delivers: false) { server in
            prepare(server.gateway)
            let gateway = MSG91(account: server.settings.gateway, client: server.client, timeout: .milliseconds(500))
            let report = await SelfTest(gateway: gateway)()
            return (report, server.gateway.requests(), server.gateway.messages().count, server.log.text)
        }
    }

    @Test("a good key and template pass, nothing is sent, and the template is asked about without the key")
    func passes() async throws {
        let (report, requests, messages, _) = try await report()
        #expect(report.key == .passed && report.template == .passed && report.refusal == nil && report.isConclusive)
        #expect(messages == 0)
        #expect(requests.map(\.path) == ["/api/v5/otp", "/api/v5/otp/verify"])
        #expect(requests.map(\.authKeyPosition) == ["none", "header"])
    }

    @Test("a bad key, a bad template and a foreign address are told apart")
    func refuses() async throws {
        let key = try await report { $0.updateAccount { $0.authKeys = ["another"] } }.report
        #expect(key.refusal == GatewayRefusal(.configuration, "201") && key.key == .refused && key.template == .passed)
        let template = try await report { $0.updateAccount { $0.otpTemplates = [:] } }.report
        #expect(template.refusal == GatewayRefusal(.configuration, "template") && template.key == .passed)
        let address = try await report { $0.updateAccount { $0.ipAllowed = false } }.report
        #expect(address.refusal == GatewayRefusal(.configuration, "418"))
    }

    @Test("no answer is no finding")
    func silent() async throws {
        let report = try await report { $0.setFaults([Fault(hang: true)]) }.report
        #expect(report.key == .unanswered && report.refusal == nil && !report.isConclusive)
        let lying = try await self.report { $0.setFaults([Fault(body: .html)]) }.report
        #expect(lying.key == .unanswered && !lying.isConclusive)
    }

    @Test("the worker opens the circuit on a bad key and closes it when the key is good again, without a message")
    func worker() async throws {
        try await withOTPServer(delivers: false) { server in
            server.gateway.updateAccount { $0.authKeys = ["another"] }
            var worker = server.assembly.selfTest
            worker.interval = .milliseconds(50)
            let ready = worker
            let running = Task { try await ready.run() }
            for _ in 0..<1500 where !server.assembly.watch.isOpen { try await Task.sleep(for: .milliseconds(20)) }
            #expect(server.assembly.watch.isOpen)
            let key = server.settings.gateway.authKey
            server.gateway.updateAccount { $0.authKeys = [String(decoding: key.bytes, as: UTF8.self)] }
            for _ in 0..<1500 where server.assembly.watch.isOpen { try await Task.sleep(for: .milliseconds(20)) }
            #expect(!server.assembly.watch.isOpen)
            running.cancel()
            try? await running.value
            #expect(server.gateway.messages().isEmpty)
            #expect(server.log.text.contains("self-test of the gateway failed"))
        }
    }

    @Test("SMS-09: the key goes where MSG91_AUTH_IN says, and never into a log", arguments: ["header", "query"])
    func keyPosition(position: String) async throws {
        try await withOTPServer(["MSG91_AUTH_IN": position]) { server in
            let phone = PhoneNumber.fresh()
            let challenge = try await server.challenge(phone)
            _ = try await server.codes(phone)
            _ = try await server.wait(for: "submitted", of: challenge)
            server.gateway.setFaults([Fault(resetBefore: true)])
            _ = try await server.wait(for: "unresolved", of: try await server.challenge(.fresh()))
            let positions = Set(server.gateway.requests().map(\.authKeyPosition))
            #expect(positions == [position])
            #expect(!server.log.text.contains("simulator-auth-key") && !server.log.text.contains("authkey="))
        }
    }
}
