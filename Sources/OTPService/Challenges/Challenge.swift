package import Foundation
package import Identity

/// How a message goes out.
package enum Channel: String, Sendable, Codable, CaseIterable {
    case sms
    /// A call that reads the code out.
    case voice
}

/// What became of a challenge.
package enum ChallengeStatus: String, Sendable, Codable, CaseIterable {
    /// It may be answered.
    case active
    /// The right code was given, once.
    case verified
    case expired
    /// A newer challenge took its place.
    case superseded
    /// It has had all its attempts.
    case exhausted
}

/// What the rule says of an answer.
package enum AnswerVerdict: Sendable, Hashable {
    case verified
    case incorrect(attemptsLeft: Int)
    /// The phone is locked over all its challenges; the wait is in microseconds, a day at most.
    case locked(wait: Int)
    /// Unknown, expired, used, superseded or out of attempts: one answer for all.
    case notActive
}

/// A question put to a phone, and the rule of who may answer it: the pure twin of a row of `challenges`.
///
/// A challenge is active while its phone names it, it is unanswered, has attempts left and has not expired. Every evaluated
/// answer costs an attempt, the right one too; resends give nothing back.
package struct Challenge: Sendable, Hashable {
    /// Names it.
    package let id: ChallengeID
    /// What its proof will be for.
    package let purpose: Purpose
    /// How many answers are evaluated.
    package let maxAttempts: Int
    /// From then on it is dead.
    package let expiresAt: Date
    /// Answers evaluated so far.
    package var attempts = 0
    /// Messages after the first.
    package var resends = 0
    /// When the right code was given.
    package var verifiedAt: Date?

    /// A challenge that nobody has answered.
    package init(id: ChallengeID, purpose: Purpose, maxAttempts: Int, expiresAt: Date) {
        self.id = id
        self.purpose = purpose
        self.maxAttempts = maxAttempts
        self.expiresAt = expiresAt
    }

    /// Judges an answer and charges it to the challenge and its phone.
    package mutating func answer(
        correct: Bool, line: inout PhoneLine, policy: LockPolicy, at moment: Date
    ) -> AnswerVerdict {
        guard status(named: line.named[purpose] == id, at: moment) == .active else { return .notActive }
        if line.lockedUntil > moment {
            let wait = min(line.lockedUntil.timeIntervalSince(moment), 86_400)
            return .locked(wait: Int((wait * 1_000_000).rounded()))
        }
        attempts += 1
        guard correct else {
            line.failed(at: moment, policy)
            return .incorrect(attemptsLeft: maxAttempts - attempts)
        }
        verifiedAt = moment
        line.succeeded()
        return .verified
    }

    /// What became of it; `named` says whether its phone still names it.
    package func status(named: Bool, at moment: Date) -> ChallengeStatus {
        if verifiedAt != nil { return .verified }
        if expiresAt <= moment { return .expired }
        if !named { return .superseded }
        return attempts < maxAttempts ? .active : .exhausted
    }
}
