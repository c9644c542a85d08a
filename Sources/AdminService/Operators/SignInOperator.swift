import Identity
import Tokens

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Signs an operator in with a proof of their phone and a code of their authenticator.
///
/// A proof makes one session and is used up by that, not by a wrong code: who mistypes tries again with the same
/// proof. Guessing is bounded by the operator's own lock, which outlives the proof (``SecondFactorLimits``).
struct SignInOperator: Sendable {
    let store: SignInStore
    let audit: AuditStore
    let vault: TOTPVault
    let signer: TokenSigner
    let sessionLimits: OperatorSessionLimits

    struct SignedIn: Sendable {
        let token: String
        let expiresIn: Int
        let admin: Operator
    }

    enum Outcome: Sendable {
        case signedIn(SignedIn)
        case notAnAdmin
        /// The code was looked at and is wrong, or was used before.
        case incorrect(attemptsLeft: Int)
        /// No code is looked at for so many seconds; nil: until the operator is enrolled anew.
        case locked(seconds: Int?)
        case proofUsed
    }

    /// With an authenticator's code. Throws as the other does.
    func callAsFunction(
        _ proof: VerificationToken, code: TOTPCode, origin: AuditOrigin
    ) async throws -> Outcome {
        try await callAsFunction(proof, factor: .totp(code), origin: origin)
    }

    /// Throws `PostgresError`, and `TOTPVault.Unreadable` if the keys that sealed the secret are gone.
    func callAsFunction(
        _ proof: VerificationToken, factor: SecondFactorCode, origin: AuditOrigin
    ) async throws -> Outcome {
        guard let candidate = try await store.candidate(phone: proof.subject) else {
            return try await refuseStranger(proof, origin)
        }
        let attempt = try attempt(candidate, proof.challengeID, factor)
        switch try await store.decide(attempt, origin: origin) {
        case .accepted(let session): return .signedIn(try await signedIn(session))
        case .incorrect(let failures, _) where failures >= store.limits.failuresToDisable: return .locked(seconds: nil)
        case .incorrect(_, let lockedFor?): return .locked(seconds: lockedFor)
        case .incorrect(let failures, nil):
            return .incorrect(attemptsLeft: SecondFactor.attemptsLeft(failures: failures, limits: store.limits))
        case .locked(let seconds): return .locked(seconds: seconds)
        case .used: return .proofUsed
        case .gone: return try await refuseStranger(proof, origin)
        }
    }

    private func attempt(
        _ candidate: SignInStore.Candidate, _ challenge: ChallengeID, _ factor: SecondFactorCode
    ) throws -> SignInStore.Attempt {
        switch factor {
        case .totp(let code):
            let opened = try vault.open(candidate.sealedSecret, for: candidate.id)
            return SignInStore.Attempt(
                admin: candidate.id, challenge: challenge,
                step: TOTP(secret: opened.secret).matchingStep(code, at: candidate.now), resealed: opened.resealed)
        case .recovery(let code):
            return SignInStore.Attempt(
                admin: candidate.id, challenge: challenge, recoveryHash: code.hash(for: candidate.id))
        }
    }

    private func refuseStranger(_ proof: VerificationToken, _ origin: AuditOrigin) async throws -> Outcome {
        try await audit.recordStranger(proof.challengeID, reason: "not-an-admin", origin: origin)
        return .notAnAdmin
    }

    private func signedIn(_ session: BegunSession) async throws -> SignedIn {
        let token = AdminToken(
            adminID: session.admin.id, sessionID: session.id, id: .version7(), issuedAt: session.createdAt,
            expiresAt: session.createdAt + Double(sessionLimits.absolute))
        return SignedIn(
            token: try signer.sign(token, now: session.createdAt), expiresIn: sessionLimits.absolute,
            admin: session.admin)
    }
}
