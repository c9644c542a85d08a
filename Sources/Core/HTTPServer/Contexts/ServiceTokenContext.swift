package import Hummingbird
package import Identity
import Logging
package import Tokens

/// The context of `/internal/*`: another service asks, and has shown its token.
package struct ServiceTokenContext: AuthenticatedContext {
    package var base: PostkeyRequestContext
    /// Who asks.
    package let service: ServiceName

    /// Throws 401 unless the request carries a service token that one of the `callers` made for `audience`.
    package init(
        _ request: Request, _ base: PostkeyRequestContext, verifier: TokenVerifier, audience: ServiceName,
        callers: Set<ServiceName>
    ) async throws(Problem) {
        self.base = base
        let text = try request.bearerToken()
        do throws(TokenError) {
            service = try await verifier.service(text, audience: audience, callers: callers).service
        } catch {
            base.logger.info("A service token was refused", metadata: ["reason": "\(error.rawValue)"])
            throw .invalidToken()
        }
    }
}

extension RouterMethods where Context == PostkeyRequestContext {
    /// Routes that only other services may use, and of these only the callers that are named.
    package func group(
        _ path: RouterPath, serviceTokens verifier: TokenVerifier, audience: ServiceName, callers: Set<ServiceName>
    ) -> RouterGroup<ServiceTokenContext> {
        group(path) { request, context in
            try await ServiceTokenContext(
                request, context, verifier: verifier, audience: audience, callers: callers)
        }
    }
}
