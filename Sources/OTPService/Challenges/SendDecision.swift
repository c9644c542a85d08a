package import Foundation
package import Identity

/// What the database decided of a send, and when.
package enum SendDecision: Sendable, Hashable {
    /// `prefixOver`: the prefix is over its limit, and the guard only records.
    case accepted(at: Date, prefixOver: Bool)
    case refused(SendRefusal)
    /// The same was asked for with the same key, and this was the answer.
    case replayed(ChallengeReceipt)
    /// The key stands for another request.
    case keyReused
    /// The request that has this key is not answered yet.
    case inProgress
}

/// What the database decided of a resend.
package enum ResendDecision: Sendable, Hashable {
    case accepted(ResentChallenge)
    case refused(SendRefusal)
    case resendsExhausted
    case notActive
}

/// What a network may still ask for.
package struct NetworkAllowance: Sendable, Hashable {
    /// Messages.
    package let left: Int
    /// Microseconds until one more is allowed; negative while some are left.
    package let wait: Int
}

/// A decision, and what it did to the caller's network.
package struct Charged<Decision: Sendable & Hashable>: Sendable, Hashable {
    package let decision: Decision
    /// Of the network; nil where nobody looked.
    package var allowance: NetworkAllowance?
    /// Requests that were charged to the network.
    package var requests = 0
    /// The phone that was refused, of a resend.
    package var phone: PhoneNumber?
}

/// A challenge after one more message.
package struct ResentChallenge: Sendable, Hashable {
    /// E.164.
    package let phone: String
    /// When the database decided.
    package let decidedAt: Date
    /// When the code dies; a resend does not move it.
    package let expiresAt: Date
    /// How many resends there have been, this one included.
    package let resends: Int
    /// How many answers remain.
    package let attemptsLeft: Int
    /// Digits of the code.
    package let codeLength: Int
}

/// All that one send writes.
package struct ChallengeOrder: Sendable {
    /// A fresh id, which the code was derived from.
    package let id: ChallengeID
    /// Where the code goes.
    package let phone: PhoneNumber
    /// What its proof will be for.
    package let purpose: Purpose
    /// How the first message goes out.
    package let channel: Channel
    /// What is kept of the code.
    package let code: SealedCode
    /// Digits of the code.
    package let codeLength: Int
    /// Seconds that the code lives.
    package let lifetime: Int
    /// How many answers will be evaluated.
    package let maxAttempts: Int
    /// The number is one of `OTP_TEST_NUMBERS`: no message goes out.
    package var isTest = false
    /// What makes the request repeatable.
    package var repeatKey: RepeatKey?

    /// All that a send needs to know.
    package init(
        id: ChallengeID, phone: PhoneNumber, purpose: Purpose, channel: Channel, code: SealedCode, codeLength: Int,
        lifetime: Int, maxAttempts: Int
    ) {
        self.id = id
        self.phone = phone
        self.purpose = purpose
        self.channel = channel
        self.code = code
        self.codeLength = codeLength
        self.lifetime = lifetime
        self.maxAttempts = maxAttempts
    }
}
