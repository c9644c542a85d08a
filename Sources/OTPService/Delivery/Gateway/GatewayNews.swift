import Metrics

/// What metrics and log have been told of the gateway: each change once, however many messages meet it.
struct GatewayNews: Sendable {
    /// A line for the log.
    enum Line: Sendable, Hashable {
        case opened(GatewayRefusal)
        case closed
        case unreachable(GatewaySilence)
        case answers
    }

    private var state = GatewayStatus.State.closed
    private var lastUnreachable: ContinuousClock.Instant?
    private var saidUnreachable = false
    private let circuitOpen = Gauge(label: "otp_gateway_circuit_open")
    private let unreachable = Gauge(label: "otp_gateway_unreachable")

    /// Answers that come and go are one trouble, of which the log tells no oftener than this.
    private static let quiet = Duration.seconds(60)

    init() { record() }

    /// Takes over how the circuit stands now, and returns what there is to say about it.
    mutating func line(for circuit: GatewayCircuit, at now: ContinuousClock.Instant) -> Line? {
        let before = state
        state = circuit.state
        guard state != before else { return nil }
        record()
        let owesAnswers = saidUnreachable
        saidUnreachable = false
        switch state {
        case .open: return circuit.opening.map { .opened($0.refusal) }
        case .unreachable:
            if let lastUnreachable, now - lastUnreachable < Self.quiet { return nil }
            lastUnreachable = now
            saidUnreachable = true
            return circuit.silence.map { .unreachable($0) }
        case .closed: return before == .open ? .closed : owesAnswers ? .answers : nil
        }
    }

    private func record() {
        circuitOpen.record(state == .open ? 1 : 0)
        unreachable.record(state == .unreachable ? 1 : 0)
    }
}
