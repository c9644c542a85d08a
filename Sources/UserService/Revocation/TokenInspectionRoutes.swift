import Foundation
import HTTPServer
import HTTPTypes
import Hummingbird
import Identity
import Tokens

/// `POST /v1/auth/introspect` (RFC 7662) and `POST /v1/auth/revoke` (RFC 7009).
struct TokenInspectionRoutes: Sendable {
    let inspection: TokenInspection
    let verifier: TokenVerifier

    func add(to router: PostkeyRouter) {
        router.group(
            "/v1/auth/introspect", serviceTokens: verifier, audience: .user, callers: [.otp, .admin]
        ).post { request, _ in
            let live = try await inspection.inspect(try await Self.token(request))
            return Response.json(.ok, text: Self.json(live))
        }
        // Whoever has the token may give it up: these are tokens of clients without a secret (RFC 7009 §2.1).
        router.post("/v1/auth/revoke") { request, _ in
            switch try await inspection.revoke(try await Self.token(request)) {
            case .done: return Response.empty(.ok)
            case .unsupported: throw Problem(.unsupportedTokenType, members: ["error": "unsupported_token_type"])
            }
        }
    }

    /// The token of the form. `token_type_hint` is a hint and not needed: the two kinds cannot be confused.
    private static func token(_ request: Request) async throws -> String {
        let form = try await request.form()
        guard let token = form["token"], !token.isEmpty else {
            throw Problem(
                .invalidRequest, errors: [FieldError("token", "is required")], members: ["error": "invalid_request"])
        }
        return token
    }

    private static func json(_ live: LiveToken?) -> String {
        guard let live else { return #"{"active":false}"# }
        var json = JSONText(capacity: 320)
        json.open("{")
        json.member("active", true)
        json.member("sub", live.userID.description)
        json.member("sid", live.sessionID.description)
        json.member("iss", ServiceName.user.rawValue)
        if let id = live.id {
            json.member("jti", id.lowercaseText)
            json.member("aud", "api")
            json.member("token_type", "Bearer")
        }
        json.member("iat", Self.seconds(live.issuedAt))
        json.member("exp", Self.seconds(live.expiresAt))
        json.close("}")
        return json.text
    }

    private static func seconds(_ date: Date) -> Int {
        Int(min(max(date.timeIntervalSince1970.rounded(.down), 0), 1e11))
    }
}
