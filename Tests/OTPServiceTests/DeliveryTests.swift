import Foundation
import Identity
import Logging
import MSG91Simulator
import PostgresTestKit
import ServiceLifecycle
import ServiceTestKit
import Testing

@testable import OTPService

@Suite("Delivery by the simulator", .timeLimit(.minutes(5)))
struct DeliveryTests {
    @Test(
        "an idle service hands the message over at its commit, not at the next poll, with our code, key and reference")
    func prompt() async throws {
        var delivery = Dispatcher.Configuration()
        // A poll does not come in the time of this test: whatever arrives, the commit rang for.
        delivery.poll = .seconds(3600)
        try await withOTPServer(delivery: delivery) { server in
            for _ in 0..<20 {
                let phone = PhoneNumber.fresh()
                let sent = try await server.send(phone)
                let challenge = try #require(sent.string("challenge_id"))
                let code = try await server.codes(phone, within: .seconds(20))[0]
                let id = try #require(ChallengeID(challenge))
                let expected = try Keys.code(id, phone).digits
                #expect(code == expected)
                _ = try await server.wait(for: "submitted", of: challenge)
            }
            let request = try #require(server.gateway.requests().first)
            #expect(request.parameters["realTimeResponse"] == "1" && request.parameters["otp_expiry"] == "5")
            #expect(request.parameters["CRQID"]?.hasSuffix("-0") == true)
            #expect(request.authKeyPosition == "header" && request.parameters["authkey"] == nil)
        }
    }

    @Test("a refusal of this one number is final")
    func refusal() async throws {
        try await withOTPServer { server in
            server.gateway.setFaults([Fault(errorCode: "202", errorMessage: "Invalid mobile number")])
            let challenge = try await server.challenge(.fresh())
            #expect(try await server.wait(for: "failed", of: challenge) == "failed recipient 202")
            #expect(try await server.api.get("/v1/otp/challenges/\(challenge)").string("delivery", "state") == "failed")
            #expect(server.gateway.requests().count == 1)
            #expect(server.gateway.messages().isEmpty)
            #expect(!server.assembly.watch.isOpen)
            // By the message's name: the number is in no log.
            let line = try #require(
                server.log.text.split(separator: "\n").first { $0.hasPrefix("error gateway refused a message") })
            #expect(line.contains("\(challenge)-0") && line.contains("recipient 202") && !line.contains("+91"))
        }
    }

    @Test("code 311 means that the first one was taken")
    func duplicate() async throws {
        try await withOTPServer { server in
            let phone = try #require(PhoneNumber(e164: "+919876550311"))
            let challenge = try await server.challenge(phone)
            #expect(try await server.wait(for: "submitted", of: challenge) == "submitted ")
        }
    }

    @Test(
        "after an unknown outcome there is one more attempt with the same code, not two",
        arguments: [
            Fault(requests: 1, resetAfter: true), Fault(requests: 1, accept: false, status: 500, body: .html),
            Fault(requests: 1, accept: true, body: .empty), Fault(requests: 1, accept: true, body: .truncated),
            Fault(requests: 1, accept: true, body: .withoutID),
        ])
    func unknownOnce(fault: Fault) async throws {
        try await withOTPServer { server in
            server.gateway.setFaults([fault])
            let phone = PhoneNumber.fresh()
            let challenge = try await server.challenge(phone)
            _ = try await server.wait(for: "submitted", of: challenge)
            #expect(server.gateway.requests().count == 2)
            #expect(Set(server.gateway.requests().compactMap { $0.parameters["otp"] }).count == 1)
            #expect(server.gateway.messages(to: phone.digits).count == 1)
        }
    }

    @Test("an outcome that stays unknown is neither submitted nor failed, and is not tried a third time")
    func unknownTwice() async throws {
        try await withOTPServer { server in
            server.gateway.setFaults([Fault(accept: false, status: 502, body: .html)])
            let challenge = try await server.challenge(.fresh())
            #expect(try await server.wait(for: "unresolved", of: challenge) == "unresolved http-502")
            #expect(server.gateway.requests().count == 2)
        }
    }

    @Test("an explicit transient error is tried again later, with the same code")
    func transient() async throws {
        try await withOTPServer { server in
            server.gateway.setFaults([Fault(requests: 2, errorCode: "601", errorMessage: "internal error")])
            let phone = PhoneNumber.fresh()
            let challenge = try await server.challenge(phone)
            let code = try await server.codes(phone, within: .seconds(20))[0]
            let id = try #require(ChallengeID(challenge))
            let expected = try Keys.code(id, phone).digits
            #expect(code == expected)
            #expect(server.gateway.requests().count == 3)
        }
    }

    @Test("a gateway that is not there gets the message once it is")
    func absent() async throws {
        // Nobody listens on this port of this machine.
        let port = try TestCluster.freePort()
        try await withOTPServer(baseURL: "http://127.0.0.1:\(port)") { server in
            let challenge = try await server.challenge(.fresh())
            #expect(try await server.wait(for: "queued connect", of: challenge) == "queued connect")
        }
    }

    @Test("a hanging gateway slows neither sends nor other messages")
    func hanging() async throws {
        try await withOTPServer(gatewayTime: .seconds(20)) { server in
            let victims = (0..<40).map { _ in PhoneNumber.fresh() }
            server.gateway.setFaults(victims.map { Fault(mobile: $0.digits, hang: true) })
            for victim in victims { #expect(try await server.send(victim).status == 202) }
            let lucky = PhoneNumber.fresh()
            _ = try await server.send(lucky)
            _ = try await server.codes(lucky, within: .seconds(20))
            // It overtook them: not one of the forty has come to an end, each of which takes longer than this test.
            let ended = try await server.database.execute(
                "SELECT phone FROM messages JOIN challenges ON id = challenge_id WHERE state <> 'queued'")
            #expect(ended.filter { $0 != lucky.e164 }.isEmpty)
            // No transaction is open while the gateway is asked.
            let open = try await server.database.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()"
            )
            #expect(open == ["0"])
            server.gateway.setFaults([])
        }
    }

    @Test("what a process left behind, committed or leased, another delivers: the same code")
    func crash() async throws {
        try await withOTPServer(delivers: false) { server in
            let phones = [PhoneNumber.fresh(), PhoneNumber.fresh()]
            var challenges: [String] = []
            for phone in phones {
                let sent = try await server.send(phone)
                challenges.append(try #require(sent.string("challenge_id")))
            }
            // One was taken by a dispatcher that died; its lease passes.
            #expect(try await server.assembly.outbox.claim(1).count == 1)
            try await server.database.execute(
                "UPDATE messages SET due_at = now() - interval '1 s' WHERE lease IS NOT NULL")
            let running = Task { try await server.assembly.dispatcher.run() }
            for (phone, challenge) in zip(phones, challenges) {
                let codes = try await server.codes(phone)
                let id = try #require(ChallengeID(challenge))
                let expected = try Keys.code(id, phone).digits
                #expect(codes == [expected])
                _ = try await server.wait(for: "submitted", of: challenge)
            }
            running.cancel()
            try? await running.value
        }
    }

    @Test("500 queued messages drain, each once, with few in flight")
    func drain() async throws {
        var delivery = Dispatcher.Configuration()
        delivery.inFlight = 16
        try await withOTPServer(
            ["OTP_SENDS_PER_PREFIX": "100000/60"], delivers: false, delivery: delivery,
            gatewayTime: DispatcherTests.patience
        ) { server in
            let phones = (0..<500).map { _ in PhoneNumber.fresh() }
            for phone in phones { _ = try await server.send(phone) }
            let running = Task { try await server.assembly.dispatcher.run() }
            let end = ContinuousClock.now + .seconds(60)
            while try await server.assembly.outbox.depth().count > 0, ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(50))
            }
            running.cancel()
            try? await running.value
            // Not in the inbox, which takes the same text once in ten seconds: how often the gateway was asked.
            let asked = server.gateway.requests().compactMap { $0.parameters["mobile"] }
            #expect(Set(asked) == Set(phones.map(\.digits)) && asked.count == Set(phones).count)
        }
    }

    @Test("a dispatcher that was full goes on when a place comes free, not at the next poll")
    func full() async throws {
        var delivery = Dispatcher.Configuration()
        delivery.inFlight = 4
        delivery.poll = .seconds(3600)
        try await withOTPServer(["OTP_SENDS_PER_PREFIX": "100000/60"], delivery: delivery) { server in
            // Longer than it waits for places before it goes to sleep.
            server.gateway.updateAccount { $0.latency = 200 }
            let phones = (0..<24).map { _ in PhoneNumber.fresh() }
            for phone in phones { #expect(try await server.send(phone).status == 202) }
            for phone in phones { _ = try await server.codes(phone, within: .seconds(60)) }
        }
    }

    @Test("a stop waits for what is at the gateway, and writes it down")
    func stop() async throws {
        try await withOTPServer(delivers: false) { server in
            server.gateway.updateAccount { $0.latency = 500 }
            let challenge = try await server.challenge(.fresh())
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: [server.assembly.dispatcher], logger: Logger(label: "stop")))
            let running = Task { try await group.run() }
            let end = ContinuousClock.now + .seconds(5)
            while server.gateway.requests().isEmpty, ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(5))
            }
            await group.triggerGracefulShutdown()
            try await running.value
            let row = try await server.database.execute(
                "SELECT state FROM messages WHERE challenge_id = '\(challenge)'")
            #expect(row == ["submitted"])
        }
    }

    @Test("a call that is refused leaves the text standing, and the log says so")
    func refusedCall() async throws {
        try await withOTPServer { server in
            server.gateway.setFaults([Fault(endpoint: .retry, errorCode: "202", errorMessage: "Invalid mobile number")])
            let challenge = try await server.challenge(.fresh(), #","channel":"voice""#)
            #expect(try await server.wait(for: "submitted", of: challenge) == "submitted ")
            #expect(server.gateway.messages().map(\.channel.rawValue) == ["sms"])
            let line = try #require(
                server.log.text.split(separator: "\n").first {
                    $0.hasPrefix("notice call refused, the text message stands")
                })
            #expect(line.contains("\(challenge)-0") && !line.contains("+91"))
        }
    }

    @Test("a call reads out what was sent before; without that, the text goes first")
    func voice() async throws {
        try await withOTPServer { server in
            let phone = PhoneNumber.fresh()
            let challenge = try await server.challenge(phone, #","channel":"voice""#)
            let codes = try await server.codes(phone, count: 2)
            #expect(Set(codes).count == 1)
            #expect(server.gateway.messages(to: phone.digits).map(\.channel.rawValue) == ["voice", "sms"])
            _ = try await server.wait(for: "submitted", of: challenge)
            try await server.database.execute("UPDATE phones SET resend_at = now()")
            let again = try await server.api.post(
                "/v1/otp/resend", #"{"challenge_id":"\#(challenge)","channel":"voice"}"#)
            #expect(again.status == 202)
            _ = try await server.codes(phone, count: 3)
            #expect(server.gateway.messages(to: phone.digits).map(\.channel.rawValue) == ["voice", "voice", "sms"])
        }
    }
}
