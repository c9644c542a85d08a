import Foundation
import HTTPServer
import Identity
import Postgres
import Tokens

/// Exchanges the proof of a phone for a session.
struct SignInWithProof: Sendable {
    let verifier: TokenVerifier
    let store: SignInStore
    let issuer: SessionIssuer
    let recycling: RecyclingStore
    let signal: ChangeSignal

    /// Signs in; the second value tells whether a user was made. Throws `SignInError`, `PostgresError`, or what
    /// signing throws.
    ///
    /// The choice matters only for a phone that may be somebody else's now. It is done first and the sign-in then tried again, in
    /// statements of their own: whatever happens in between, the token begins one session at most.
    func callAsFunction(
        _ text: String, deviceName: String?, choice: AccountChoice? = nil, from address: ClientAddress
    ) async throws -> (tokens: SessionTokens, isNewUser: Bool) {
        let token = try await verified(text)
        let session = SessionID()
        guard let refreshToken = issuer.refreshTokens.token(of: session, generation: 0) else {
            throw SignInError.invalid
        }
        let request = SignInRequest(
            token: token, deviceName: deviceName, address: address, newUserID: UserID(), newSessionID: session,
            refreshToken: refreshToken,
            accessTokenID: .version7())
        var (outcome, grant, isNewUser) = try await store.signIn(request)
        if outcome == .unconfirmed, let choice {
            guard try await recycling.settle(choice, of: token.subject) else { throw SignInError.notTheOwner }
            // The account that was there may be closed now, whatever comes of the sign-in.
            signal.give()
            (outcome, grant, isNewUser) = try await store.signIn(request)
        }
        UserMetrics.signedIn(outcome)
        if outcome == .opened { signal.give() }
        switch outcome {
        case .opened, .repeated:
            guard let grant, let tokens = try await issuer.tokens(for: grant) else { throw SignInError.alreadyUsed }
            return (tokens, isNewUser)
        case .alreadyUsed: throw SignInError.alreadyUsed
        case .suspended: throw SignInError.suspended
        case .unconfirmed: throw SignInError.unconfirmed
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
    /// Its phone may be somebody else's now: the app must ask.
    case unconfirmed
    /// Who wanted to go on with the account did not name its address.
    case notTheOwner
}
