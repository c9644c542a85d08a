package import Foundation
package import Logging
import Metrics
import Synchronization

/// What this process knows of its gateway: the circuit, the last self-test, and what to do about both; with metrics and log.
///
/// The state is this process's own: another instance, which may have another address, finds out for itself.
package final class GatewayWatch: Sendable {
    private struct State {
        var circuit = GatewayCircuit()
        var selfTest: SelfTestReport?
    }

    private let state = Mutex(State())
    private let logger: Logger
    private let circuitOpen = Gauge(label: "otp_gateway_circuit_open")
    /// This many attempts in a row without an answer make the gateway count as out of reach.
    private static let silentAttempts = 5

    /// A closed circuit.
    package init(logger: Logger) {
        self.logger = logger
        circuitOpen.record(0)
        for kind in GatewayOutcome.errorClasses { Self.errors(kind).increment(by: 0) }
    }

    /// How many of `free` places may be filled from the outbox now.
    package func admitted(_ free: Int) -> Int {
        switch state.withLock({ $0.circuit.admission(at: .now) }) {
        case .all: free
        case .probes(let count): min(free, count)
        case .nothing: 0
        }
    }

    /// Whether messages are held back.
    package var isOpen: Bool { state.withLock { $0.circuit.opening != nil } }

    /// What was taken from the outbox; while the circuit is open these are its probes.
    package func taken(_ messages: [Message]) {
        state.withLock { if $0.circuit.opening != nil { $0.circuit.probing(messages.map(\.correlation)) } }
    }

    /// What the gateway made of a message.
    package func note(_ outcome: GatewayOutcome, of message: String) {
        if let kind = outcome.errorClass { Self.errors(kind).increment() }
        announce(state.withLock { ($0.circuit.note(outcome, of: message, at: .now), $0.circuit.opening) })
    }

    /// How long a message that was just refused waits; nil if it is alone in its trouble.
    package func pause(ofRefused message: String) -> Duration? {
        state.withLock { $0.circuit.pause(ofRefused: message, at: .now) }
    }

    /// What a self-test found.
    package func note(_ report: SelfTestReport) {
        announce(
            state.withLock { state in
                state.selfTest = report
                // A test that got no answer says nothing about key and template.
                guard report.isConclusive else { return (.none, state.circuit.opening) }
                return (state.circuit.noteSelfTest(report.refusal, at: .now), state.circuit.opening)
            })
    }

    /// The last self-test, if there was one.
    package var selfTest: SelfTestReport? { state.withLock(\.selfTest) }

    /// As the console and the health check see it.
    package func status(now: Date = .now) -> GatewayStatus {
        let (circuit, selfTest) = state.withLock { ($0.circuit, $0.selfTest) }
        func date(_ instant: ContinuousClock.Instant) -> Date {
            now.addingTimeInterval(-((ContinuousClock.now - instant) / .seconds(1)))
        }
        var status = GatewayStatus(
            state: .closed, lastSuccessAt: circuit.lastSuccess.map(date), selfTest: selfTest)
        if let opening = circuit.opening {
            status.state = .open
            status.since = date(opening.since)
            status.nextProbeAt = date(opening.nextProbe)
            status.reason = opening.refusal.kind.rawValue
            status.code = opening.refusal.code
            status.action = opening.refusal.advice
        } else if let silence = circuit.silence, silence.count >= Self.silentAttempts {
            status.state = .unreachable
            status.since = date(silence.since)
            status.reason = "no answer"
            status.action =
                "Check the network, DNS and MSG91_BASE_URL; messages are tried again while their codes live."
        }
        return status
    }

    /// Throws unless messages go out.
    package func check() throws {
        if status().state != .closed { throw GatewayAway() }
    }

    private struct GatewayAway: Error {}

    private func announce(_ change: (GatewayCircuit.Change, GatewayCircuit.Opening?)) {
        switch change.0 {
        case .none: return
        case .opened:
            circuitOpen.record(1)
            guard let refusal = change.1?.refusal else { return }
            logger.error(
                "gateway circuit open: messages wait until MSG91 takes one again",
                metadata: [
                    "reason": "\(refusal.kind.rawValue)", "code": "\(refusal.code)", "action": "\(refusal.advice)",
                ])
        case .closed:
            circuitOpen.record(0)
            logger.notice("gateway circuit closed: messages go out again")
        }
    }

    private static func errors(_ kind: String) -> Counter {
        Counter(label: "otp_gateway_errors_total", dimensions: [("class", kind)])
    }
}
