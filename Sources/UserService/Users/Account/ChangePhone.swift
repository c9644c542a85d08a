import Identity
import Postgres
import Tokens

/// Gives a signed-in user the phone of a proof.
struct ChangePhone: Sendable {
    let verifier: TokenVerifier
    let accounts: AccountStore
    let users: UserStore
    let signal: ChangeSignal

    /// Changes the phone and returns the user with it. Throws `PhoneChangeError` or `PostgresError`.
    func callAsFunction(_ text: String, of token: AccessToken) async throws -> User {
        guard let proof = try? await verifier.verification(text, audience: .user), proof.purpose == .changePhone else {
            throw PhoneChangeError.invalid
        }
        let outcome = try await accounts.changePhone(of: token, to: proof)
        UserMetrics.phoneChanged(outcome)
        switch outcome {
        case .changed:
            signal.give()
            guard let user = try await users.user(of: token) else { throw PhoneChangeError.revoked }
            return user
        case .revoked: throw PhoneChangeError.revoked
        case .stale: throw PhoneChangeError.stale
        case .expired: throw PhoneChangeError.invalid
        case .alreadyUsed: throw PhoneChangeError.alreadyUsed
        case .inUse: throw PhoneChangeError.inUse
        }
    }
}

/// Why a phone was not changed.
enum PhoneChangeError: Error, Hashable {
    /// The access token has been revoked.
    case revoked
    /// The verification token is no proof of ours for this, or has expired.
    case invalid
    /// The verification token changed a phone before.
    case alreadyUsed
    /// The session began too long ago.
    case stale
    /// Another user has the phone.
    case inUse
}
