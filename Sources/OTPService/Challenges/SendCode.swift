package import Foundation
package import HTTPServer
package import Identity
import Postgres

/// The rules of a code that the operator chooses.
package struct CodePolicy: Sendable, Hashable {
    /// 6 to 9 digits.
    package var length: Int
    /// Seconds, 60 to 600 (NIST SP 800-63B-4 §3.1.3.2).
    package var lifetime: Int
    /// 1 to 10 answers.
    package var maxAttempts: Int

    /// 6 digits, 5 minutes, 5 attempts.
    package static let standard = CodePolicy(length: 6, lifetime: 300, maxAttempts: 5)
}

/// What the person is told of a message on its way.
package struct ChallengeReceipt: Sendable, Hashable {
    /// What to answer or resend.
    package let challengeID: ChallengeID
    /// How this message goes out.
    package let channel: Channel
    /// When the code dies.
    package let expiresAt: Date
    /// Seconds.
    package let expiresIn: Int
    /// Seconds.
    package let resendAfter: Int
    /// How often the same code may be sent again.
    package let resendsLeft: Int
    /// How many answers remain.
    package let attemptsLeft: Int
    /// Digits of the code.
    package let codeLength: Int
}

/// What became of a request for a code.
package enum SendOutcome: Sendable, Hashable {
    case accepted(ChallengeReceipt)
    case refused(SendRefusal)
    case invalidPhone
    case destinationNotAllowed
}

/// What became of a request for the same code again.
package enum ResendOutcome: Sendable, Hashable {
    case accepted(ChallengeReceipt)
    case refused(SendRefusal)
    case resendsExhausted
    case notActive
}

/// Use case: a person asks for a code, or for the same one again.
///
/// It answers when the challenge and its message are durable, and never waits for the gateway. The answer never depends on
/// whether the phone has an account: this service does not know.
package struct SendCode: Sendable {
    let store: ChallengeStore
    let keys: CodeKeys
    let policy: CodePolicy
    let destinations: DestinationPolicy
    let defaultRegion: String?
    let metrics: ChallengeMetrics
    /// Rings the dispatcher after the commit.
    let wake: @Sendable () -> Void

    /// Throws `PostgresError`.
    package func callAsFunction(
        to text: String, purpose: Purpose, channel: Channel, from network: ClientAddress
    ) async throws -> SendOutcome {
        guard let phone = try? PhoneNumber(parsing: text, defaultRegion: defaultRegion) else { return .invalidPhone }
        guard destinations.allows(phone) else {
            metrics.sent(channel, phone.region, "destination_not_allowed")
            return .destinationNotAllowed
        }
        let id = ChallengeID()
        let keyID = keys.currentID
        guard let code = keys.code(for: id, phone: phone, purpose: purpose, keyID: keyID, length: policy.length) else {
            throw PostgresError(.configuration, "the current key has no code")
        }
        let order = ChallengeOrder(
            id: id, phone: phone, purpose: purpose, channel: channel, code: keys.seal(code, for: id),
            codeLength: policy.length, lifetime: policy.lifetime, maxAttempts: policy.maxAttempts)
        switch try await store.send(order, network: network.description) {
        case .accepted(let moment, let prefixOver):
            wake()
            metrics.sent(channel, phone.region, "accepted")
            if prefixOver { metrics.throttleRecorded() }
            return .accepted(
                ChallengeReceipt(
                    challengeID: id, channel: channel,
                    expiresAt: moment.addingTimeInterval(TimeInterval(policy.lifetime)), expiresIn: policy.lifetime,
                    resendAfter: store.limits.cooldown(after: 0), resendsLeft: store.limits.cooldowns.count,
                    attemptsLeft: policy.maxAttempts, codeLength: policy.length))
        case .refused(let refusal):
            metrics.sent(channel, phone.region, refusal.label)
            return .refused(refusal)
        }
    }

    /// The same challenge and the same code, on this channel. Throws `PostgresError`.
    package func again(
        _ challenge: ChallengeID, channel: Channel, from network: ClientAddress
    ) async throws -> ResendOutcome {
        switch try await store.resend(challenge, channel: channel, network: network.description) {
        case .accepted(let resent):
            wake()
            metrics.resent(channel, "accepted")
            let left = resent.expiresAt.timeIntervalSince(resent.decidedAt)
            return .accepted(
                ChallengeReceipt(
                    challengeID: challenge, channel: channel, expiresAt: resent.expiresAt,
                    expiresIn: max(0, Int(left)), resendAfter: store.limits.cooldown(after: resent.resends),
                    resendsLeft: max(0, store.limits.cooldowns.count - resent.resends),
                    attemptsLeft: resent.attemptsLeft, codeLength: resent.codeLength))
        case .refused(let refusal):
            metrics.resent(channel, refusal.label)
            return .refused(refusal)
        case .resendsExhausted: return .resendsExhausted
        case .notActive: return .notActive
        }
    }
}
