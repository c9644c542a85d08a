package import Foundation
package import Identity

/// What became of a message.
package enum MessageState: String, Sendable, CaseIterable {
    /// In the outbox, or on its way to the gateway.
    case queued
    /// The gateway took it. That is not delivery.
    case submitted
    /// The gateway never said whether it took it, and the time to find out has passed.
    case unresolved
    case delivered
    /// The gateway refused it, or its code died waiting.
    case failed
    /// Its challenge was superseded or used before it went out.
    case dropped

    /// The four states of the API: what was given away may have arrived, what was not given away will not.
    package var published: String {
        switch self {
        case .queued: "queued"
        case .submitted, .unresolved: "submitted"
        case .delivered: "delivered"
        case .failed, .dropped: "failed"
        }
    }
}

/// A message that this process has leased: everything it takes to hand it to the gateway.
package struct Message: Sendable {
    /// The challenge whose code it carries.
    package let challengeID: ChallengeID
    /// 0 for the first message of the challenge.
    package let number: Int
    /// How it goes out.
    package let channel: Channel
    /// How many leases there have been, this one included.
    package let tries: Int
    /// Where it goes.
    package let phone: PhoneNumber
    /// Part of what the code is derived from.
    package let purpose: Purpose
    /// The key that the code is derived with.
    package let keyID: String
    /// Digits of the code.
    package let codeLength: Int
    /// How long the code still lives.
    package let remaining: Duration
    /// How long ago the message was ordered.
    package let waited: Duration
    /// The gateway has taken this code for this phone before, so that it can read it out.
    package let sentBefore: Bool
    /// What says in a report that the message is still ours.
    package let lease: UUID

    /// Our name for it at the gateway (`CRQID`).
    package var correlation: String { "\(challengeID)-\(number)" }
}

/// What to write down about a message after an attempt.
package enum MessageReport: Sendable, Hashable {
    /// `gatewayID` is the gateway's request id, empty if it gave none.
    case submitted(gatewayID: String)
    case unresolved(reason: String)
    case failed(reason: String)
    /// Back into the queue.
    case again(after: Duration, reason: String)
}

/// How long a message waits before it is tried again, and when another try is worth nothing.
///
/// Nothing is given up for the number of its tries: a code that lives when the gateway comes back is still good. The pauses see to
/// it that there are few.
package struct RetryPolicy: Sendable, Hashable {
    /// The first pause; each next one is twice as long.
    package let base: Duration
    /// No pause is longer, but for its spread.
    package let longest: Duration
    /// A code that lives no longer than this is of no use to anybody who is still to receive it: the last try is made then.
    package let leastLife: Duration

    /// 0.5 s, 1 s, 2 s … 30 s, until 10 s before the code dies.
    package static let standard = RetryPolicy(
        base: .milliseconds(500), longest: .seconds(30), leastLife: .seconds(10))

    /// The pause after this many tries, or nil if it is not worth another.
    ///
    /// - Parameters:
    ///   - remaining: how long the code lives.
    ///   - random: 0 to 1; spreads the pause from half to one and a half.
    ///   - asked: what the gateway asked for, which is a lower bound.
    package func pause(after tries: Int, remaining: Duration, asked: Duration? = nil, random: Double) -> Duration? {
        let time = remaining - leastLife
        guard time > .zero, (asked ?? .zero) <= time else { return nil }
        let doubled = base * (1 << min(max(tries - 1, 0), 10))
        let pause = min(doubled, longest) * (0.5 + min(max(random, 0), 1))
        return min(max(pause, asked ?? .zero), time)
    }
}
