import Identity
import Tokens

/// Signs an operator in with what the page collected: the proof of the phone and a second factor.
struct ProveOperator: Sendable {
    /// What was entered beside the code of the phone.
    struct Factor: Sendable {
        static let expected = "Enter the six digits that your authenticator shows, or one of your recovery codes."
        let code: SecondFactorCode

        init?(_ text: String) {
            guard let code = SecondFactorCode(text.filter { $0 != " " }) else { return nil }
            self.code = code
        }
    }

    enum Outcome: Sendable {
        case signedIn(token: String)
        case notAnAdmin
        case incorrect(attemptsLeft: Int)
        case locked(seconds: Int?)
        /// The proof has expired, or has made a session.
        case proofOver
    }

    let signIn: SignInOperator
    let verifier: TokenVerifier

    /// Throws what ``SignInOperator`` throws.
    func callAsFunction(_ proof: String, _ factor: Factor, _ origin: AuditOrigin) async throws -> Outcome {
        guard let proof = try? await verifier.verification(proof, audience: .admin), proof.purpose == .adminSignIn
        else {
            return .proofOver
        }
        return switch try await signIn(proof, factor: factor.code, origin: origin) {
        case .signedIn(let signedIn): .signedIn(token: signedIn.token)
        case .notAnAdmin: .notAnAdmin
        case .incorrect(let left): .incorrect(attemptsLeft: left)
        case .locked(let seconds): .locked(seconds: seconds)
        case .proofUsed: .proofOver
        }
    }
}
