package import HTTPServer
import Hummingbird
import Identity
import Tokens

/// How an operator lifts a phone's lock: `POST /internal/phones/{phone}/unlock`, with a service token only.
package struct UnlockRoutes: Sendable {
    let store: PhoneLockStore
    let tokens: TokenVerifier

    /// Adds the route.
    package func add(to router: PostkeyRouter) {
        let trusted = router.group("internal", serviceTokens: tokens, audience: .otp, callers: [.admin])
        trusted.post("phones/{phone}/unlock") { request, context in
            let phone = try context.parameter("phone", PhoneNumber.init(e164:))
            let (outcome, isKnown) = try await store.unlock(phone, key: try request.actKey)
            try outcome.check()
            guard isKnown else { throw Problem(.notFound) }
            return Response.empty()
        }
    }
}
