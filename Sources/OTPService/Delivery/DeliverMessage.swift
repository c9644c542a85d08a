import Foundation
package import Logging
import Metrics

/// Use case: hand one leased message to the gateway and judge what came of it.
package struct DeliverMessage: Sendable {
    let gateway: MSG91
    let watch: GatewayWatch
    let keys: CodeKeys
    let retries: RetryPolicy
    let logger: Logger
    /// A second attempt starts only within this time of the first: MSG91 swallows the same message within ten seconds.
    let repeatWindow: Duration
    /// Pause before the second attempt, so that a restarting gateway has come back.
    let repeatPause: Duration

    /// Delivers through this gateway, and tells the watch what came of it.
    package init(
        gateway: MSG91, watch: GatewayWatch, keys: CodeKeys, retries: RetryPolicy = .standard, logger: Logger,
        repeatWindow: Duration = .seconds(10), repeatPause: Duration = .milliseconds(300)
    ) {
        self.gateway = gateway
        self.watch = watch
        self.keys = keys
        self.retries = retries
        self.logger = logger
        self.repeatWindow = repeatWindow
        self.repeatPause = repeatPause
        // A counter that begins with its first failure hides that failure from rate().
        for channel in Channel.allCases {
            for outcome in Self.outcomes { Self.attempts(channel, outcome).increment(by: 0) }
        }
    }

    /// How an attempt may end, as `otp_delivery_attempts_total` counts it.
    private static let outcomes =
        ["submitted", "retried", "unresolved", "given_up", "key_gone"]
        + GatewayRefusal.Kind.allCases.map { "refused_\($0.rawValue)" }

    private static func attempts(_ channel: Channel, _ outcome: String) -> Counter {
        Counter(
            label: "otp_delivery_attempts_total", dimensions: [("channel", channel.rawValue), ("outcome", outcome)])
    }

    /// - Parameter mayRepeat: false once the process is stopping.
    package func callAsFunction(_ message: Message, mayRepeat: @Sendable () -> Bool = { true }) async -> MessageReport {
        guard
            let code = keys.code(
                for: message.challengeID, phone: message.phone, purpose: message.purpose, keyID: message.keyID,
                length: message.codeLength)
        else {
            return finish(message, .failed(reason: "key is gone"), "key_gone")
        }
        let start = ContinuousClock.now
        let first = await attempt(message, code)
        guard case .unknown(let reason) = first else { return report(message, first, start: start) }
        // Unknown outcome: at most one more attempt with the same code, and only while MSG91 would swallow a duplicate.
        try? await Task.sleep(for: repeatPause)
        guard mayRepeat(), !Task.isCancelled, ContinuousClock.now - start < repeatWindow else {
            return finish(message, .unresolved(reason: reason), "unresolved")
        }
        switch await attempt(message, code) {
        case .accepted(let id): return report(message, .accepted(id: id), start: start)
        case .duplicate: return report(message, .duplicate, start: start)
        // Whatever else it says now, the first attempt may have been taken.
        case .refused, .transient, .unknown, .nothingToRepeat:
            return finish(message, .unresolved(reason: reason), "unresolved")
        }
    }

    private func attempt(_ message: Message, _ code: OneTimeCode) async -> GatewayOutcome {
        guard message.channel == .voice else { return await send(message, code) }
        if message.sentBefore {
            let call = await call(message)
            // At most two calls for a code, and none after the gateway has forgotten it: then the text goes again.
            if call != .nothingToRepeat { return call }
        }
        // MSG91 reads out what it sent last, which must be this challenge's code and not an older one.
        let text = await send(message, code)
        switch text {
        case .accepted, .duplicate: break
        case .refused, .transient, .unknown, .nothingToRepeat: return text
        }
        if case .accepted = await call(message) { return text }
        logger.notice("call refused, the text message stands", metadata: ["message": "\(message.correlation)"])
        return text
    }

    private func send(_ message: Message, _ code: OneTimeCode) async -> GatewayOutcome {
        let outcome = await gateway.text(
            code, to: message.phone, correlation: message.correlation, remaining: message.remaining)
        watch.note(outcome, of: message.correlation)
        return outcome
    }

    private func call(_ message: Message) async -> GatewayOutcome {
        let outcome = await gateway.call(message.phone)
        watch.note(outcome, of: message.correlation)
        return outcome
    }

    private func report(_ message: Message, _ outcome: GatewayOutcome, start: ContinuousClock.Instant) -> MessageReport
    {
        switch outcome {
        case .accepted(let id):
            Metrics.Timer(label: "delivery_seconds").recordNanoseconds(
                (message.waited + (ContinuousClock.now - start)).wholeNanoseconds)
            return finish(message, .submitted(gatewayID: id), "submitted")
        case .duplicate: return finish(message, .submitted(gatewayID: ""), "submitted")
        case .refused(let refusal): return refused(message, refusal, start: start)
        case .transient(let reason, let after):
            let remaining = message.remaining - (ContinuousClock.now - start)
            guard
                let pause = retries.pause(
                    after: message.tries, remaining: remaining, asked: after, random: .random(in: 0...1))
            else {
                logger.error(
                    "gave a message up",
                    metadata: ["message": "\(message.correlation)", "reason": "\(reason)", "tries": "\(message.tries)"])
                return finish(message, .failed(reason: reason), "given_up")
            }
            return finish(message, .again(after: pause, reason: reason), "retried")
        case .unknown(let reason): return finish(message, .unresolved(reason: reason), "unresolved")
        case .nothingToRepeat: return finish(message, .failed(reason: "nothing to repeat"), "refused_request")
        }
    }

    /// A refusal of all messages is the account's fault: the message waits for the circuit while its code lives.
    private func refused(
        _ message: Message, _ refusal: GatewayRefusal, start: ContinuousClock.Instant
    ) -> MessageReport {
        let outcome = "refused_\(refusal.kind.rawValue)"
        if refusal.kind.concernsAll, let pause = watch.pause(ofRefused: message.correlation),
            pause < message.remaining - (ContinuousClock.now - start)
        {
            return finish(message, .again(after: pause, reason: refusal.description), outcome)
        }
        logger.error(
            "gateway refused a message",
            metadata: ["message": "\(message.correlation)", "reason": "\(refusal)", "tries": "\(message.tries)"])
        return finish(message, .failed(reason: refusal.description), outcome)
    }

    private func finish(_ message: Message, _ report: MessageReport, _ outcome: String) -> MessageReport {
        Self.attempts(message.channel, outcome).increment()
        return report
    }
}

extension Duration {
    /// In whole nanoseconds, cut to what fits.
    fileprivate var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : product &+ attoseconds / 1_000_000_000
    }
}
