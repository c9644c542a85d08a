import Foundation
import HTTPServer
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
    /// The network has used up its requests.
    case refused(SendRefusal)
}

/// Use case: a person answers a challenge and gets a proof of their phone.
package struct AnswerChallenge: Sendable {
    /// Seconds that a verification token lives.
    package static let proofLifetime = 300

    let store: ChallengeStore
    let keys: CodeKeys
    let signer: TokenSigner
    let metrics: ChallengeMetrics
    /// Answers that were refused a moment ago, by challenge.
    let memory: RefusalMemory<AnswerDecision>
    let refusals: RefusalMemory<SendRefusal>
    let gate: RequestGate

    /// The token is minted after the commit: a token whose code was not consumed can never exist, and a lost answer costs the
    /// person a new code. Throws `PostgresError`.
    package func callAsFunction(
        _ challenge: ChallengeID, code: OneTimeCode, from caller: Caller
    ) async throws -> AnswerOutcome {
        let decision = try await decision(challenge, code, caller)
        metrics.answered(decision)
        switch decision {
        case .verified(let phone, let purpose):
            let now = Date()
            let token = VerificationToken(
                subject: phone, purpose: purpose, challengeID: challenge,
                expiresAt: now.addingTimeInterval(TimeInterval(Self.proofLifetime)))
            return .verified(token: try signer.sign(token, now: now), expiresIn: Self.proofLifetime)
        case .incorrect(let attemptsLeft): return .incorrect(attemptsLeft: attemptsLeft)
        case .locked(let wait): return .locked(retryAfter: wait.wholeSeconds)
        case .notActive: return .notActive
        case .requestLimit(let wait): return .refused(.requestLimit(wait: wait))
        }
    }

    private func decision(
        _ challenge: ChallengeID, _ code: OneTimeCode, _ caller: Caller
    ) async throws -> AnswerDecision {
        if let (refusal, wait) = memory.recall(.challenge(challenge)) {
            if case .locked = refusal { return .locked(wait: wait) }
            return refusal
        }
        let decision: AnswerDecision
        let candidates = keys.candidates(code, for: challenge)
        if caller.requests > 0 {
            let answer = try await store.answer(
                challenge, candidates, network: caller.network.description, requests: caller.requests)
            gate.charged(caller.network, answer.requests)
            decision = answer.decision
        } else {
            decision = try await store.answer(challenge, candidates)
        }
        switch decision {
        case .verified(let phone, _):
            // The next message need not wait.
            refusals.forget(.phone(phone))
        case .incorrect, .requestLimit: break
        case .locked(let wait): memory.remember(.challenge(challenge), decision, wait: wait)
        case .notActive: memory.remember(.challenge(challenge), decision, wait: 1_000_000)
        }
        return decision
    }
}
