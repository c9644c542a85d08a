import Foundation
import Identity
import Postgres
import Tokens

/// Exchanges the proof of a phone for a session.
struct SignInWithProof: Sendable {
    let verifier: TokenVerifier
    let store: SignInStore
    let issuer: SessionIssuer

    /// Signs in; the second value tells whether a user was made. Throws `SignInError`, `PostgresError`, or what
    /// signing throws.
    func callAsFunction(_ text: String, deviceName: String?) async throws -> (tokens: SessionTokens, isNewUser: Bool) {
        let token = try await verified(text)
        let session = SessionID()
        guard let refreshToken = issuer.refreshTokens.token(of: session, generation: 0) else {
            throw SignInError.invalid
        }
        let (outcome, grant, isNewUser) = try await store.signIn(
            SignInRequest(
                token: token, deviceName: deviceName, newUserID: UserID(), newSessionID: session,
                refreshToken: refreshToken, accessTokenID: .version7()))
        UserMetrics.signedIn(outcome)
        switch outcome {
        case .opened, .repeated:
            guard let grant, let tokens = try await issuer.tokens(for: grant) else { throw SignInError.alreadyUsed }
            return (tokens, isNewUser)
        case .alreadyUsed: throw SignInError.alreadyUsed
        case .suspended: throw SignInError.suspended
        case .expired: throw SignInError.invalid
        }
    }

    private func verified(_ text: String) async throws(SignInError) -> VerificationToken {
        guard let token = try? await verifier.verification(text, audience: .user), token.purpose == .signIn else {
            throw .invalid
        }
        return token
    }
}

/// Why a verification token gives no session.
enum SignInError: Error, Hashable {
    /// It is no proof of ours for signing in here, or has expired.
    case invalid
    /// It has given a session before.
    case alreadyUsed
    /// Its user may not sign in.
    case suspended
}
