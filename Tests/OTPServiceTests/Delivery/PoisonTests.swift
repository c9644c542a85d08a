import Foundation
import Identity
import Logging
import MSG91Simulator
import PostgresTestKit
import ServiceTestKit
import Testing

@testable import OTPService

@Suite("One number that never works", .timeLimit(.minutes(5)))
struct PoisonTests {
    /// When the gateway was asked to send to this phone, oldest first.
    private static func attempts(_ server: OTPServer, _ phone: PhoneNumber) -> [Date] {
        server.gateway.requests().filter { $0.parameters["mobile"] == phone.digits }.map(\.receivedAt).reversed()
    }

    private static func wait(_ server: OTPServer, for count: Int, attemptsAt phone: PhoneNumber) async throws -> [Date]
    {
        let end = ContinuousClock.now + .seconds(60)
        while attempts(server, phone).count < count {
            guard ContinuousClock.now < end else { throw ServiceTestError("\(attempts(server, phone)) attempts") }
            try await Task.sleep(for: .milliseconds(10))
        }
        return attempts(server, phone)
    }

    private static func pauses(_ moments: [Date]) -> [Double] {
        zip(moments, moments.dropFirst()).map { $1.timeIntervalSince($0) }
    }

    @Test("OBX-04: it is tried ever more seldom and then given up, keeps nobody waiting, and Retry-After is respected")
    func poison() async throws {
        var delivery = Dispatcher.Configuration()
        // Fewer places than three would be lost to numbers that never work.
        delivery.inFlight = 4
        delivery.smallestBatch = 1
        try await withOTPServer(DispatcherTests.environment, delivers: false, delivery: delivery) { server in
            let phones = (0..<100).map { _ in PhoneNumber.fresh() }
            let (poison, stone, asked, others) = (phones[0], phones[1], phones[2], phones.dropFirst(3))
            server.gateway.setFaults([
                Fault(mobile: poison.digits, errorCode: "601", errorMessage: "internal error"),
                Fault(mobile: stone.digits, accept: false, status: 500),
                Fault(requests: 1, mobile: asked.digits, status: 429, retryAfter: 7),
            ])
            var challenges: [String] = []
            // They are the oldest in the queue, so that all others are behind them.
            for phone in phones { challenges.append(try await server.challenge(phone)) }
            let running = Task { try await server.assembly.dispatcher.run() }
            for (phone, challenge) in zip(phones, challenges).dropFirst(3) {
                _ = try await server.wait(for: "submitted", of: challenge)
                #expect(Self.attempts(server, phone).count == 1)
            }
            // A 500 may have been taken: once more with the same code, and never again.
            #expect(try await server.wait(for: "unresolved", of: challenges[1]) == "unresolved http-500")
            #expect(Self.attempts(server, stone).count == 2 && Set(server.asked(stone)).count == 1)

            let tried = try await Self.wait(server, for: 5, attemptsAt: poison)
            // Half of 0.5, 1, 2 and 4 s at least; a slow machine makes them longer, none shorter.
            for (pause, least) in zip(Self.pauses(tried), [0.25, 0.5, 1, 2]) {
                #expect(pause >= least * 0.95, "\(tried)")
            }
            let last = try #require(others.compactMap { Self.attempts(server, $0).first }.max())
            #expect(last < tried[4], "nobody waited for it")

            _ = try await server.wait(for: "submitted", of: challenges[2])
            let again = Self.pauses(Self.attempts(server, asked))
            #expect(again.count == 1 && again[0] >= 7, "\(again)")

            try await Self.endsDead(server, challenges[0], poison)
            running.cancel()
            try? await running.value
        }
    }

    /// Near the end of its code it is tried for the last time, and said to be given up.
    private static func endsDead(_ server: OTPServer, _ challenge: String, _ phone: PhoneNumber) async throws {
        // Once what the fifth attempt found is written down, there are four seconds at least until the sixth.
        let rests = "SELECT lease IS NULL AND tries >= 5 FROM messages WHERE challenge_id = '\(challenge)'"
        let end = ContinuousClock.now + .seconds(60)
        while try await server.database.execute(rests) != ["t"], ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(10))
        }
        try await server.database.execute(
            """
            UPDATE challenges SET created_at = now() - interval '290.5 s', expires_at = now() + interval '9.5 s'
            WHERE id = '\(challenge)';
            UPDATE messages SET due_at = now() WHERE challenge_id = '\(challenge)' AND lease IS NULL;
            """)
        #expect(try await server.wait(for: "failed", of: challenge) == "failed gateway 601")
        #expect(server.log.text.contains("error gave a message up"))
        let count = attempts(server, phone).count
        #expect((6...8).contains(count))
        let shown = try await server.api.get("/v1/otp/challenges/\(challenge)")
        #expect(shown.string("delivery", "state") == "failed")
    }

    @Test("OBX-06: however often a message was tried in vain, while its code lives it waits for the gateway")
    func longOutage() async throws {
        let port = try TestCluster.freePort()
        try await withOTPServer(baseURL: "http://127.0.0.1:\(port)", delivers: false) { server in
            let phone = PhoneNumber.fresh()
            let challenge = try await server.challenge(phone)
            // Four minutes and many tries later.
            try await server.database.execute(
                """
                UPDATE challenges SET created_at = now() - interval '240 s', expires_at = now() + interval '60 s';
                UPDATE messages SET tries = 40;
                """)
            let message = try #require(try await server.assembly.outbox.claim(1).first)
            let deliver = DeliverMessage(
                gateway: MSG91(account: server.settings.gateway, client: server.client), watch: server.assembly.watch,
                keys: server.settings.keys, logger: Logger(label: "outage"))
            let report = await deliver(message)
            guard case .again(let pause, "connect") = report else {
                Issue.record("\(report)")
                return
            }
            // At the latest ten seconds before the code dies.
            #expect(pause >= .seconds(15) && pause <= .seconds(50))
            try await server.assembly.outbox.report([(message, report)])
            var configuration = SimulatorConfiguration()
            configuration.port = port
            try await withMSG91Simulator(configuration) { _, gateway in
                try await server.database.execute("UPDATE messages SET due_at = now()")
                let dispatching = Task { try await server.assembly.dispatcher.run() }
                _ = try await server.wait(for: "submitted", of: challenge)
                #expect(gateway.messages(to: phone.digits).count == 1)
                dispatching.cancel()
                try? await dispatching.value
            }
        }
    }
}
