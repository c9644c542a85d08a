import Foundation
import HTTPClient
import Identity
import Logging
import MSG91Simulator
import PostgresTestKit
import ServiceTestKit
import Testing

@testable import OTPService

@Suite("A slow, lying, hanging or dead gateway", .timeLimit(.minutes(5)))
struct GatewayFaultTests {
    /// What the gateway may write; none of it may come out anywhere.
    private static let words = "zebra quagga"

    @Test(
        "SMS-05: an answer that is no acceptance is never taken for one, and none of its text comes out",
        arguments: [
            (Fault(errorCode: "777", errorMessage: words), "failed unrecognised 777", 1),
            (Fault(errorCode: "202", errorMessage: words), "failed recipient 202", 1),
            (Fault(body: .codeAsNumber, errorCode: "202", errorMessage: words), "failed recipient 202", 1),
            (Fault(accept: false, body: .html), "unresolved http-200", 2),
            (Fault(accept: false, status: 201, body: .empty), "unresolved http-201", 2),
            (Fault(accept: false, status: 204, body: .empty), "unresolved http-204", 2),
            (Fault(accept: false, status: 202, body: .html), "unresolved http-202", 2),
            (Fault(status: 503, body: .html), "unresolved http-503", 2),
        ])
    func lies(fault: Fault, state: String, attempts: Int) async throws {
        try await withOTPServer { server in
            server.gateway.setFaults([fault])
            let sent = try await server.send(.fresh())
            #expect(sent.status == 202)
            let challenge = try #require(sent.string("challenge_id"))
            let word = String(state.prefix { $0 != " " })
            #expect(try await server.wait(for: word, of: challenge) == state)
            let asked = server.gateway.requests()
            #expect(asked.count == attempts)
            #expect(Set(asked.compactMap { $0.parameters["otp"] }).count == 1)
            #expect(Set(asked.compactMap { $0.parameters["CRQID"] }) == ["\(challenge)-0"])
            let shown = try await server.api.get("/v1/otp/challenges/\(challenge)")
            #expect(["submitted", "failed"].contains(shown.string("delivery", "state")))
            for text in [shown.text, server.log.text] {
                #expect(!text.contains("zebra") && !text.contains("<html>"))
            }
        }
    }

    @Test(
        "SMS-05: JSON cut short and a success without an id are asked about once more, and 311 then means accepted",
        arguments: [Fault.BodyVariant.truncated, .withoutID, .html, .empty])
    func acceptedButUnclear(body: Fault.BodyVariant) async throws {
        try await withOTPServer { server in
            server.gateway.setFaults([Fault(requests: 1, accept: true, body: body)])
            let phone = PhoneNumber.fresh()
            let challenge = try await server.challenge(phone)
            #expect(try await server.wait(for: "submitted", of: challenge) == "submitted ")
            #expect(server.gateway.messages(to: phone.digits).count == 1)
        }
    }

    @Test(
        "SMS-06: a gateway that takes the message and says nothing: at most ten seconds, one more attempt, the same code"
    )
    func acceptsAndHangs() async throws {
        try await withOTPServer { server in
            server.gateway.setFaults([Fault(requests: 1, acceptThenTimeout: true)])
            let phone = PhoneNumber.fresh()
            let challenge = try await server.challenge(phone)
            // Answered before the gateway is done with: that takes seven seconds.
            let state = try await server.database.execute("SELECT state FROM messages")
            #expect(state == ["queued"] && MSG91.time <= .seconds(10))
            #expect(
                try await server.wait(for: "submitted", of: challenge, within: .seconds(60)) == "submitted ")
            let asked = server.gateway.requests()
            #expect(asked.count == 2 && Set(asked.compactMap { $0.parameters["CRQID"] }).count == 1)
            #expect(Set(server.asked(phone)).count == 1)
            #expect(server.gateway.messages(to: phone.digits).count == 1)
        }
    }

    @Test("SMS-07: a redirect is not followed, and opens the circuit")
    func redirect() async throws {
        try await withMSG91Simulator { trap, trapped in
            try await withOTPServer { server in
                server.gateway.setFaults([Fault(redirect: "\(trap)/api/v5/otp?mobile=1")])
                let challenge = try await server.challenge(.fresh())
                for _ in 0..<500 where !server.assembly.watch.isOpen { try await Task.sleep(for: .milliseconds(10)) }
                let status = server.assembly.watch.status()
                #expect(status.state == .open && status.code == "http-302")
                #expect(status.action?.contains("MSG91_BASE_URL") == true)
                #expect(trapped.requests().isEmpty)
                #expect(
                    try await server.api.get("/v1/otp/challenges/\(challenge)").string("delivery", "state") == "queued")
            }
        }
    }

    @Test("SMS-07: of a gigabyte only 64 KiB are read")
    func huge() async throws {
        try await withOTPServer { server in
            server.gateway.setFaults([Fault(body: .huge)])
            let before = try Self.residentPages()
            let challenge = try await server.challenge(.fresh())
            #expect(try await server.wait(for: "unresolved", of: challenge) == "unresolved answer too large")
            // Whoever kept it would have a gigabyte more; other tests need some memory meanwhile too.
            #expect(try Self.residentPages() - before < 500 * 256)
        }
    }

    @Test("SMS-10: a gateway that takes ten seconds slows neither sends nor answers, and no transaction waits for it")
    func slow() async throws {
        let limits = ["OTP_SENDS_PER_PREFIX": "100000/60", "OTP_SENDS_PER_NETWORK": "100000/60"]
        try await withOTPServer(limits) { server in
            server.gateway.updateAccount { $0.latency = 10_000 }
            var sends: [Duration] = []
            var answers: [Duration] = []
            for _ in 0..<100 {
                let phone = PhoneNumber.fresh()
                var start = ContinuousClock.now
                let challenge = try await server.challenge(phone)
                sends.append(ContinuousClock.now - start)
                let id = try #require(ChallengeID(challenge))
                let code = try Keys.code(id, phone).digits
                start = ContinuousClock.now
                #expect(try await server.verify(challenge, code).status == 200)
                answers.append(ContinuousClock.now - start)
            }
            // Whoever waited for the gateway would have waited for seven seconds at least.
            #expect(sends.sorted()[98] < .seconds(5) && answers.sorted()[98] < .seconds(5), "\(sends.max() ?? .zero)")
            // Those of other work are idle between two statements, for a moment; one that waited would be for seconds.
            var open: [String?] = ["?"]
            for _ in 0..<5 where open != ["0"] {
                open = try await server.database.execute(
                    """
                    SELECT count(*) FROM pg_stat_activity
                    WHERE state = 'idle in transaction' AND datname = current_database()
                        AND state_change < clock_timestamp() - interval '0.5 s'
                    """)
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(open == ["0"])
            server.gateway.updateAccount { $0.latency = 0 }
        }
    }

    @Test("SMS-11: without a good certificate no code leaves, and the message stays to be sent")
    func tls() async throws {
        try await withMSG91Simulator { url, plain in
            // It speaks no TLS at all; certificates of other hosts and unknown issuers are HTTPClient's own tests.
            try await withOTPServer(baseURL: url.replacing("http://", with: "https://")) { server in
                let challenge = try await server.challenge(.fresh())
                let end = ContinuousClock.now + .seconds(10)
                var row: [String?] = []
                while ContinuousClock.now < end, row != ["queued tls"] {
                    try await Task.sleep(for: .milliseconds(50))
                    row = try await server.database.execute(
                        "SELECT state || ' ' || coalesce(reason, '') FROM messages WHERE challenge_id = '\(challenge)'")
                }
                #expect(row == ["queued tls"])
                #expect(plain.requests().isEmpty)
            }
        }
    }

    @Test("a dead gateway shows as out of reach, sends go on, and the messages go out once it is back")
    func dead() async throws {
        let port = try TestCluster.freePort()
        try await withOTPServer(baseURL: "http://127.0.0.1:\(port)") { server in
            for _ in 0..<10 { _ = try await server.challenge(.fresh()) }
            let end = ContinuousClock.now + .seconds(30)
            while server.assembly.watch.status().state == .closed, ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(20))
            }
            let status = server.assembly.watch.status()
            #expect(status.state == .unreachable && status.reason == "no answer" && status.action != nil)
            var configuration = SimulatorConfiguration()
            configuration.port = port
            try await withMSG91Simulator(configuration) { _, gateway in
                let end = ContinuousClock.now + .seconds(30)
                while gateway.messages().count < 10, ContinuousClock.now < end {
                    try await Task.sleep(for: .milliseconds(50))
                }
                #expect(gateway.messages().count == 10)
            }
            #expect(server.assembly.watch.status().state == .closed)
            func count(_ line: String) -> Int { server.log.text.components(separatedBy: line).count - 1 }
            #expect(count("error gateway out of reach") == 1 && count("notice gateway answers again") == 1)
        }
    }

    @Test("OBX-05: a message that nobody rang the bell for is found by the poll")
    func poll() async throws {
        try await withOTPServer(delivers: false) { server in
            let logger = Logger(label: "poll")
            let deliver = DeliverMessage(
                gateway: MSG91(account: server.settings.gateway, client: server.client),
                watch: GatewayWatch(logger: logger), keys: server.settings.keys, logger: logger)
            // Another process's dispatcher: the send below rings the bell of its own only.
            let dispatcher = Dispatcher(outbox: server.assembly.outbox, deliver: deliver, logger: logger)
            let running = Task { try await dispatcher.run() }
            try await Task.sleep(for: .milliseconds(300))
            let phone = PhoneNumber.fresh()
            _ = try await server.challenge(phone)
            _ = try await server.codes(phone, within: .seconds(20))
            #expect(Dispatcher.Configuration().poll <= .seconds(2))
            running.cancel()
            try? await running.value
        }
    }

    @Test("the third call of a code is more than MSG91 makes: the text goes again, and then the call")
    func thirdCall() async throws {
        try await withOTPServer { server in
            let phone = PhoneNumber.fresh()
            let challenge = try await server.challenge(phone)
            _ = try await server.codes(phone)
            _ = try await server.wait(for: "submitted", of: challenge)
            for count in 2...4 {
                // The ten-second rule would swallow the text.
                if count == 4 { try await Task.sleep(for: .seconds(10)) }
                try await server.database.execute("UPDATE phones SET resend_at = now()")
                let again = try await server.api.post(
                    "/v1/otp/resend", #"{"challenge_id":"\#(challenge)","channel":"voice"}"#)
                #expect(again.status == 202)
                _ = try await server.codes(phone, count: count == 4 ? 5 : count)
                _ = try await server.wait(for: "submitted", of: challenge)
            }
            let channels = server.gateway.messages(to: phone.digits).map(\.channel.rawValue)
            #expect(channels == ["voice", "sms", "voice", "voice", "sms"])
            let retries = server.gateway.requests().filter { $0.path == "/api/v5/otp/retry" }
            #expect(retries.allSatisfy { $0.parameters["retrytype"] == "voice" })
        }
    }

    private static func residentPages() throws -> Int {
        let statm = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        return statm.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }
}
