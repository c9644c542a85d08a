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
        var news = GatewayNews()
    }

    private let state = Mutex(State())
    private let logger: Logger

    /// A closed circuit.
    package init(logger: Logger) {
        self.logger = logger
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

    /// Whether messages go out and are answered.
    package var isWell: Bool { state.withLock { $0.circuit.state == .closed } }

    /// Whether messages are held back.
    package var isOpen: Bool { state.withLock { $0.circuit.opening != nil } }

    /// What was taken from the outbox; while the circuit is open these are its probes.
    package func taken(_ messages: [Message]) {
        state.withLock { if $0.circuit.opening != nil { $0.circuit.probing(messages.map(\.correlation)) } }
    }

    /// What the gateway made of a message.
    package func note(_ outcome: GatewayOutcome, of message: String) {
        if let kind = outcome.errorClass { Self.errors(kind).increment() }
        change { _ = $0.circuit.note(outcome, of: message, at: .now) }
    }

    /// How long a message that was just refused waits; nil if it is alone in its trouble.
    package func pause(ofRefused message: String) -> Duration? {
        state.withLock { $0.circuit.pause(ofRefused: message, at: .now) }
    }

    /// What a self-test found.
    package func note(_ report: SelfTestReport) {
        change { state in
            state.selfTest = report
            // A test that got no answer says nothing about key and template.
            if report.isConclusive { _ = state.circuit.noteSelfTest(report.refusal, at: .now) }
        }
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
            state: circuit.state, lastSuccessAt: circuit.lastSuccess.map(date), selfTest: selfTest)
        if let opening = circuit.opening {
            status.since = date(opening.since)
            status.nextProbeAt = date(opening.nextProbe)
            status.reason = opening.refusal.kind.rawValue
            status.code = opening.refusal.code
            status.action = opening.refusal.advice
        } else if let silence = circuit.silence, silence.isLong {
            status.since = date(silence.since)
            status.reason = "no answer"
            status.code = silence.reason
            status.action = silence.advice
        }
        return status
    }

    /// Throws unless messages go out.
    package func check() throws {
        if !isWell { throw GatewayAway() }
    }

    private struct GatewayAway: Error {}

    /// The gauges are set under the lock, so that they end with the last change; the log may come in another order.
    private func change(_ body: (inout State) -> Void) {
        let line = state.withLock { state in
            body(&state)
            return state.news.line(for: state.circuit, at: .now)
        }
        if let line { log(line) }
    }

    private func log(_ line: GatewayNews.Line) {
        switch line {
        case .opened(let refusal):
            logger.error(
                "gateway circuit open: messages wait until MSG91 takes one again",
                metadata: [
                    "reason": "\(refusal.kind.rawValue)", "code": "\(refusal.code)", "action": "\(refusal.advice)",
                ])
        case .closed: logger.notice("gateway circuit closed: messages go out again")
        case .unreachable(let silence):
            logger.error(
                "gateway out of reach: the last attempts got no answer",
                metadata: ["reason": "\(silence.reason)", "action": "\(silence.advice)"])
        case .answers: logger.notice("gateway answers again")
        }
    }

    private static func errors(_ kind: String) -> Counter {
        Counter(label: "otp_gateway_errors_total", dimensions: [("class", kind)])
    }
}
