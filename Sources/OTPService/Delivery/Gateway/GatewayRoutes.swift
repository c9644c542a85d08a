package import HTTPServer
import Hummingbird
import Identity
import Tokens

/// How the gateway is, for the console: `/internal/gateway`, with service tokens only.
package struct GatewayRoutes: Sendable {
    let watch: GatewayWatch
    let tokens: TokenVerifier

    /// Adds the route.
    package func add(to router: PostkeyRouter) {
        let trusted = router.group("internal", serviceTokens: tokens, audience: .otp, callers: [.admin])
        trusted.get("gateway") { _, _ in try Response.json(.ok, watch.status()) }
    }
}
