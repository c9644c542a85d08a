import Foundation
package import Identity
import Postgres
import Tokens

/// What became of an answer.
package enum AnswerOutcome: Sendable {
    /// The proof, and the seconds it lives.
    case verified(token: String, expiresIn: Int)
    case incorrect(attemptsLeft: Int)
    /// Seconds.
    case locked(retryAfter: Int)
    case notActive
}

/// Use case: a person answers a challenge and gets a proof of their phone.
package struct AnswerChallenge: Sendable {
    /// Seconds that a verification token lives.
    package static let proofLifetime = 300

    let store: ChallengeStore
    let keys: CodeKeys
    let signer: TokenSigner
    let metrics: ChallengeMetrics

    /// The token is minted after the commit: a token whose code was not consumed can never exist, and a lost answer costs the
    /// person a new code. Throws `PostgresError`.
    package func callAsFunction(_ challenge: ChallengeID, code: OneTimeCode) async throws -> AnswerOutcome {
        let decision = try await store.answer(challenge, keys.candidates(code, for: challenge))
        metrics.answered(decision)
        switch decision {
        case .verified(let phone, let purpose):
            let now = Date()
            let token = VerificationToken(
                subject: phone, purpose: purpose, challengeID: challenge,
                expiresAt: now.addingTimeInterval(TimeInterval(Self.proofLifetime)))
            return .verified(token: try await signer.sign(token, now: now), expiresIn: Self.proofLifetime)
        case .incorrect(let attemptsLeft): return .incorrect(attemptsLeft: attemptsLeft)
        case .locked(let wait): return .locked(retryAfter: wait.wholeSeconds)
        case .notActive: return .notActive
        }
    }
}
