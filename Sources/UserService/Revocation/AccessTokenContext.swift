import HTTPServer
import Hummingbird
import Logging
import Tokens

/// The context of a user's requests: the access token is verified, and whether it was revoked is asked by the
/// statement that acts.
struct AccessTokenContext: AuthenticatedContext {
    var base: PostkeyRequestContext
    let token: AccessToken

    /// Throws 401 unless the request carries an access token.
    init(_ request: Request, _ base: PostkeyRequestContext, verifier: TokenVerifier) async throws(Problem) {
        self.base = base
        let text = try request.bearerToken()
        do throws(TokenError) {
            token = try await verifier.access(text)
        } catch {
            base.logger.info("An access token was refused", metadata: ["reason": "\(error.rawValue)"])
            throw .invalidToken()
        }
    }
}

extension RouterMethods where Context == PostkeyRequestContext {
    /// Routes for signed-in users.
    func group(_ path: RouterPath, accessTokens verifier: TokenVerifier) -> RouterGroup<AccessTokenContext> {
        group(path) { request, context in try await AccessTokenContext(request, context, verifier: verifier) }
    }
}
