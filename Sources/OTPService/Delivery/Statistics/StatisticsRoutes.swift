package import HTTPServer
import Hummingbird
import Identity
import Tokens

/// The numbers of this service for others: `GET /internal/statistics`, with service tokens only.
package struct StatisticsRoutes: Sendable {
    let statistics: StatisticsStore
    let tokens: TokenVerifier

    /// Adds the route.
    package func add(to router: PostkeyRouter) {
        let trusted = router.group("internal", serviceTokens: tokens, audience: .otp, callers: [.admin])
        trusted.get("statistics") { request, _ in
            let days = try request.query.integer("days", default: 30, in: 1...366)
            return try Response.json(.ok, await statistics.read(days: days))
        }
    }
}
