#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif
package import Identity

/// What one service shows another on `/internal/*`, `svc+jwt`.
package struct ServiceToken: Sendable, Hashable {
    /// How long a service token may live, in seconds: whoever finds one in a dump has no use for it.
    package static let lifetime: Double = 60

    /// Who calls, `iss` and `sub`.
    package let service: ServiceName
    /// Who is called.
    package let audience: ServiceName
    /// To the second, rounded down.
    package let expiresAt: Date

    /// Describes a token to be signed; it is valid from the moment of signing.
    package init(service: ServiceName, audience: ServiceName, expiresAt: Date) {
        self.service = service
        self.audience = audience
        self.expiresAt = expiresAt.wholeSeconds
    }
}

extension ServiceToken: SignedToken {
    static let type = "svc+jwt"

    init(_ claims: TokenClaims) throws(TokenError) {
        guard let service = ServiceName(rawValue: claims.sub), claims.iss == claims.sub else { throw .wrongIssuer }
        guard claims.audiences.count == 1, let audience = claims.audiences.first.flatMap(ServiceName.init(rawValue:))
        else {
            throw .wrongAudience
        }
        guard claims.exp - claims.iat <= Self.lifetime else { throw .lifetime }
        self.init(service: service, audience: audience, expiresAt: claims.expiresAt)
    }

    func claims(now: Date) -> TokenClaims {
        TokenClaims(
            issuer: service.rawValue, subject: service.rawValue, audience: audience.rawValue, issuedAt: now,
            expiresAt: expiresAt)
    }
}
