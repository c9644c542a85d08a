import ChangeFeed
import HTTPServer
import Hummingbird
import Identity
import Tokens

/// Judges the access tokens of users, as user-service itself would up to a second ago.
struct UserTokens: Sendable {
    let verifier: TokenVerifier
    let revocations: RevocationSet

    /// The id of the user. Throws 401 unless the request carries an access token that is valid and not revoked, and 503 if it is not known
    /// whether it was: user-service has been away for ten seconds, or since this process began.
    func authorize(_ request: Request) async throws(Problem) -> UserID {
        let text = try request.bearerToken()
        let token: AccessToken
        do throws(TokenError) {
            token = try await verifier.access(text)
        } catch {
            throw .invalidToken("The access token is not valid.")
        }
        switch revocations.standing(of: token) {
        case .live: return token.userID
        case .revoked: throw .invalidToken("The access token is not valid.")
        case .unknown: throw Problem(.serviceUnavailable, retryAfter: 1)
        }
    }
}
