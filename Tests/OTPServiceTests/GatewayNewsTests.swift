import Foundation
import Identity
import Logging
import MSG91Simulator
import ServiceTestKit
import Testing

@testable import OTPService

@Suite("What is told of the gateway", .timeLimit(.minutes(5)))
struct GatewayNewsTests {
    private static let refused = GatewayOutcome.refused(GatewayRefusal(.configuration, "201"))
    private static let lost = GatewayOutcome.unknown(reason: "reset")
    private let start = ContinuousClock.now

    /// Notes the same outcome of several messages and collects what is told.
    private func note(
        _ outcome: GatewayOutcome, _ count: Int = 1, _ circuit: inout GatewayCircuit, _ news: inout GatewayNews,
        at seconds: Double
    ) -> [GatewayNews.Line] {
        (0..<count).compactMap { number in
            let now = start + .seconds(seconds)
            _ = circuit.note(outcome, of: "m\(number) \(seconds)", at: now)
            return news.line(for: circuit, at: now)
        }
    }

    @Test("the fifth attempt without an answer is told, no other is, and the answer that ends it is")
    func once() {
        var (circuit, news) = (GatewayCircuit(), GatewayNews())
        #expect(note(Self.lost, 4, &circuit, &news, at: 0).isEmpty)
        #expect(circuit.state == .closed)
        let silence = GatewaySilence(count: 5, since: start, reason: "reset")
        #expect(note(Self.lost, 100, &circuit, &news, at: 0) == [.unreachable(silence)])
        #expect(circuit.state == .unreachable)
        #expect(note(.accepted(id: "a"), 9, &circuit, &news, at: 2) == [.answers])
        #expect(circuit.state == .closed)
    }

    @Test("answers that come and go are told of once a minute, and no end without its beginning")
    func flapping() {
        var (circuit, news) = (GatewayCircuit(), GatewayNews())
        var lines: [GatewayNews.Line] = []
        for second in 0..<130 {
            lines += note(Self.lost, 8, &circuit, &news, at: Double(second))
            lines += note(.duplicate, 1, &circuit, &news, at: Double(second) + 0.5)
        }
        #expect(lines.count == 6)
        for (index, line) in lines.enumerated() { #expect((line == .answers) == (index % 2 == 1)) }
    }

    @Test("a refusal of everything is told also after silence, and then the circuit's end only")
    func refusal() {
        var (circuit, news) = (GatewayCircuit(), GatewayNews())
        #expect(note(Self.lost, 5, &circuit, &news, at: 0).count == 1)
        #expect(
            note(Self.refused, 3, &circuit, &news, at: 1) == [.opened(GatewayRefusal(.configuration, "201"))])
        #expect(note(Self.lost, 9, &circuit, &news, at: 2).isEmpty, "the circuit is open")
        #expect(note(.accepted(id: "a"), 3, &circuit, &news, at: 3) == [.closed])
    }

    @Test("a self-test with an answer ends the silence, one without does not")
    func selfTest() {
        let watch = GatewayWatch(logger: Logger(label: "test"))
        for number in 0..<5 { watch.note(Self.lost, of: "m\(number)") }
        let silent = GatewayProbe.unanswered(reason: "timeout")
        watch.note(SelfTestReport(key: silent, template: silent, at: .now))
        #expect(watch.status().state == .unreachable)
        watch.note(SelfTestReport(key: .passed, template: .passed, at: .now))
        #expect(watch.status().state == .closed)
    }

    @Test("what to do tells a gateway that errs from one that is not there, and promises no try that is not made")
    func advice() {
        for (reason, word) in [("connect", "DNS"), ("reset", "DNS"), ("http-503", "errors"), ("gateway 1", "errors")] {
            let advice = GatewaySilence(count: 5, since: start, reason: reason).advice
            #expect(advice.contains(word) && advice.hasSuffix("."))
            #expect(advice.contains("one that may have reached it is tried once more, and no more after that"))
        }
    }

    @Test("a gateway that hangs up: four codes are left unresolved, and it is told once that it is out of reach")
    func hangsUp() async throws {
        try await withOTPServer { server in
            server.gateway.setFaults([Fault(resetBefore: true)])
            for _ in 0..<4 {
                let challenge = try await server.challenge(.fresh())
                #expect(try await server.wait(for: "unresolved", of: challenge) == "unresolved reset")
            }
            let status = server.assembly.watch.status()
            #expect(status.state == .unreachable && status.reason == "no answer" && status.code == "reset")
            #expect(throws: (any Error).self) { try server.assembly.watch.check() }
            // It answers again, which the self-test finds out without a message.
            server.gateway.setFaults([])
            var worker = server.assembly.selfTest
            worker.interval = .milliseconds(50)
            let ready = worker
            let running = Task { try await ready.run() }
            for _ in 0..<1500 where !server.assembly.watch.isWell { try await Task.sleep(for: .milliseconds(20)) }
            #expect(server.assembly.watch.isWell)
            running.cancel()
            try? await running.value
            #expect(server.gateway.messages().isEmpty)
            func count(_ line: String) -> Int { server.log.text.components(separatedBy: line).count - 1 }
            #expect(count("error gateway out of reach: the last attempts got no answer") == 1)
            #expect(count("notice gateway answers again") == 1)
        }
    }
}
