import Testing

@testable import OTPService

@Suite("The rule of the gateway's circuit")
struct CircuitTests {
    private let start = ContinuousClock.now
    private static let key = GatewayOutcome.refused(GatewayRefusal(.configuration, "201"))

    private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test(
        "a refusal of all messages opens it, anything else does not",
        arguments: [
            (GatewayOutcome.refused(GatewayRefusal(.configuration, "201")), true),
            (.refused(GatewayRefusal(.balance, "301")), true), (.refused(GatewayRefusal(.quota, "506")), true),
            (.refused(GatewayRefusal(.recipient, "202")), false), (.refused(GatewayRefusal(.request, "101")), false),
            (.refused(GatewayRefusal(.unrecognised, "777")), false), (.duplicate, false), (.accepted(id: "a"), false),
            (.transient(reason: "connect", after: nil), false), (.unknown(reason: "timeout"), false),
            (.nothingToRepeat, false),
        ])
    func opens(outcome: GatewayOutcome, opens: Bool) {
        var circuit = GatewayCircuit()
        #expect(circuit.note(outcome, of: "a", at: start) == (opens ? .opened : .none))
        #expect((circuit.opening != nil) == opens)
        #expect(circuit.admission(at: start) == (opens ? .nothing : .all))
    }

    /// Takes as many probes as there are, and has them refused.
    private func refuseProbes(_ circuit: inout GatewayCircuit, _ names: [String], at moment: ContinuousClock.Instant) {
        #expect(circuit.admission(at: moment) == .probes(5))
        circuit.probing(names)
        for name in names { #expect(circuit.note(Self.key, of: name, at: moment) == .none) }
    }

    @Test("while open five probes go out after 250 ms, then 500, 1000 … up to a minute apart")
    func backoff() {
        var circuit = GatewayCircuit()
        _ = circuit.note(Self.key, of: "m0", at: start)
        var now = 0.0
        for (number, pause) in [0.25, 0.5, 1, 2, 4, 8, 16, 32, 60, 60].enumerated() {
            #expect(circuit.admission(at: at(now + pause - 0.1)) == .nothing)
            now += pause
            #expect(circuit.admission(at: at(now)) == .probes(5))
            #expect(circuit.admission(at: at(now)) == .nothing, "one time after the other")
            circuit.probing(["p\(number)", "q\(number)"])
            #expect(circuit.note(Self.key, of: "p\(number)", at: at(now)) == .none)
            #expect(circuit.admission(at: at(now + 39)) == .nothing, "one is still out")
            #expect(circuit.note(Self.key, of: "q\(number)", at: at(now)) == .none)
        }
    }

    @Test("the first success closes it, and the next opening begins with a short pause again")
    func closes() {
        var circuit = GatewayCircuit()
        _ = circuit.note(Self.key, of: "a", at: start)
        refuseProbes(&circuit, ["b"], at: at(2))
        #expect(circuit.admission(at: at(6)) == .probes(5))
        circuit.probing(["c", "d", "e"])
        _ = circuit.note(Self.key, of: "d", at: at(6))
        #expect(circuit.note(.accepted(id: "x"), of: "c", at: at(6)) == .closed)
        #expect(circuit.admission(at: at(6)) == .all && circuit.lastSuccess == at(6))
        // A probe of that time.
        #expect(circuit.note(Self.key, of: "e", at: at(6)) == .none)
        #expect(circuit.note(Self.key, of: "f", at: at(17)) == .opened)
        #expect(circuit.admission(at: at(17.3)) == .probes(5))
    }

    @Test("within ten seconds of a success only the third refusal in a row opens it")
    func trust() {
        var circuit = GatewayCircuit()
        _ = circuit.note(.accepted(id: "x"), of: "good", at: start)
        for number in 0..<20 {
            #expect(circuit.note(Self.key, of: "odd \(number)", at: at(1)) == .none)
            #expect(circuit.pause(ofRefused: "odd \(number)", at: at(1)) == .milliseconds(500))
            #expect(circuit.note(Self.key, of: "strange \(number)", at: at(1)) == .none)
            #expect(circuit.note(.accepted(id: "x"), of: "good \(number)", at: at(1)) == .none)
        }
        #expect(circuit.note(Self.key, of: "odd 1", at: at(2)) == .none)
        #expect(circuit.pause(ofRefused: "odd 1", at: at(2)) == nil, "alone in its trouble")
        for number in 0..<2 { #expect(circuit.note(Self.key, of: "new \(number)", at: at(3)) == .none) }
        #expect(circuit.note(Self.key, of: "new 2", at: at(3)) == .opened)
    }

    @Test("messages that were on their way when it opened do not lengthen the pause")
    func stragglers() {
        var circuit = GatewayCircuit()
        for number in 0..<64 { _ = circuit.note(Self.key, of: "m\(number)", at: at(0.001 * Double(number))) }
        #expect(circuit.admission(at: at(0.25)) == .probes(5))
        circuit.probing(["p"])
        for number in 64..<100 { _ = circuit.note(Self.key, of: "m\(number)", at: at(0.3)) }
        #expect(circuit.admission(at: at(40)) == .nothing, "the probe is still out")
    }

    @Test("probes that never come back, or were not used, let others go")
    func lostProbe() {
        var circuit = GatewayCircuit()
        _ = circuit.note(Self.key, of: "a", at: start)
        #expect(circuit.admission(at: at(2)) == .probes(5))
        #expect(circuit.admission(at: at(41)) == .nothing)
        #expect(circuit.admission(at: at(42)) == .probes(5))
        circuit.probing([])
        #expect(circuit.admission(at: at(42)) == .probes(5))
    }

    @Test("a probe without an answer waits again, for no longer than before")
    func undecided() {
        var circuit = GatewayCircuit()
        _ = circuit.note(Self.key, of: "a", at: start)
        refuseProbes(&circuit, ["b"], at: at(1))
        #expect(circuit.admission(at: at(2)) == .probes(5))
        circuit.probing(["c"])
        _ = circuit.note(.unknown(reason: "timeout"), of: "c", at: at(9))
        #expect(circuit.admission(at: at(9.4)) == .nothing)
        #expect(circuit.admission(at: at(9.5)) == .probes(5))
    }

    @Test("a message that is refused again after others were taken is alone in its trouble")
    func alone() {
        var circuit = GatewayCircuit()
        #expect(circuit.note(Self.key, of: "odd", at: start) == .opened)
        #expect(circuit.pause(ofRefused: "odd", at: start) == .milliseconds(250))
        #expect(circuit.admission(at: at(2)) == .probes(5))
        circuit.probing(["good"])
        #expect(circuit.note(.accepted(id: "x"), of: "good", at: at(2)) == .closed)
        #expect(circuit.note(Self.key, of: "odd", at: at(3)) == .none)
        #expect(circuit.opening == nil && circuit.pause(ofRefused: "odd", at: at(3)) == nil)
        // A new one is believed, when the last success is a while ago.
        #expect(circuit.note(Self.key, of: "new", at: at(14)) == .opened)
    }

    @Test("a self-test opens it, and closes only what it opened")
    func selfTest() {
        let refusal = GatewayRefusal(.configuration, "201")
        var circuit = GatewayCircuit()
        #expect(circuit.noteSelfTest(nil, at: start) == .none)
        #expect(circuit.noteSelfTest(refusal, at: start) == .opened)
        #expect(circuit.noteSelfTest(refusal, at: at(1)) == .none)
        #expect(circuit.noteSelfTest(nil, at: at(2)) == .closed)
        _ = circuit.note(Self.key, of: "a", at: at(3))
        #expect(circuit.noteSelfTest(nil, at: at(4)) == .none)
        #expect(circuit.opening != nil)
    }

    @Test("against a random history: never open after a success, one set of probes at a time, closed by nothing else")
    func random() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var circuit = GatewayCircuit()
            var (now, out, name) = (0.0, [String](), 0)
            for _ in 0..<100 {
                now += .random(in: 0...5, using: &generator)
                let wasOpen = circuit.opening != nil
                if case .probes(let count) = circuit.admission(at: at(now)) {
                    #expect(out.isEmpty && wasOpen)
                    out = (0..<Int.random(in: 0...count, using: &generator)).map { "p\(name + $0)" }
                    name += count
                    circuit.probing(out)
                }
                guard let message = wasOpen ? out.popLast() : "m\(name % 7)" else { continue }
                let outcome =
                    [
                        Self.key, .accepted(id: "x"), .duplicate, .unknown(reason: "timeout"), .nothingToRepeat,
                    ].randomElement(using: &generator) ?? .duplicate
                let change = circuit.note(outcome, of: message, at: at(now))
                let took = outcome == .duplicate || outcome == .accepted(id: "x")
                #expect((change == .closed) == (wasOpen && took))
                if took { out = [] }
                if took { #expect(circuit.opening == nil) } else if wasOpen { #expect(circuit.opening != nil) }
            }
        }
    }

    @Test("every refusal that opens it has advice, and none of the advice has a secret or a number in it")
    func advice() {
        for code in [
            "201", "207", "208", "203", "205", "209", "210", "211", "302", "303", "306", "400", "401", "403", "418",
            "505",
            "invalid-key", "missing-key", "template", "ip-not-whitelisted", "ip-blocked", "path", "url", "http-302",
            "http-401", "http-418", "anything",
        ] {
            #expect(GatewayRefusal(.configuration, code).advice.hasSuffix("."))
        }
        #expect(GatewayRefusal(.configuration, "418").advice.contains("Allow-list the address"))
        #expect(GatewayRefusal(.configuration, "201").advice.contains("MSG91_AUTH_KEY"))
        #expect(GatewayRefusal(.configuration, "template").advice.contains("MSG91_TEMPLATE_ID"))
        #expect(GatewayRefusal(.balance, "301").advice.contains("balance"))
    }
}
