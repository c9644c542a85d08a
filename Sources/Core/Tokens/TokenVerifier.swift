#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif
package import Identity

/// Verifies tokens: bounds, header, signature, kind, issuer, audience, times, in this order.
///
/// Whether a token was revoked is not its matter: that is asked of the database with each request.
package final class TokenVerifier: Sendable {
    /// How far the clocks of two machines may differ, in seconds (RFC 7519 §4.1.4).
    package static let leeway: Double = 30

    private let keys: TokenKeys
    private let now: @Sendable () -> Date
    private let accessTokens: VerifiedTokenCache<AccessToken>
    private let adminTokens: VerifiedTokenCache<AdminToken>

    /// Verifies with both of these keys.
    /// - Parameters:
    ///   - cacheCapacity: how many verified tokens of each kind are remembered at most; 0 remembers none.
    ///   - now: the clock, for tests.
    package init(keys: TokenKeys, cacheCapacity: Int = 10_000, now: @escaping @Sendable () -> Date = { Date() }) {
        self.keys = keys
        self.now = now
        accessTokens = VerifiedTokenCache(capacity: cacheCapacity)
        adminTokens = VerifiedTokenCache(capacity: cacheCapacity)
    }

    /// Verifies a proof of a phone that is meant for this service. Throws `TokenError`.
    package func verification(_ text: String, audience: ServiceName) async throws(TokenError) -> VerificationToken {
        let token: VerificationToken = try await verified(text)
        guard token.purpose.audience == audience else { throw .wrongAudience }
        return token
    }

    /// Verifies a user's access token, which may have been revoked since. Throws `TokenError`.
    package func access(_ text: String) async throws(TokenError) -> AccessToken {
        try await cached(text, accessTokens)
    }

    /// Verifies an administrator's token, which may have been revoked since. Throws `TokenError`.
    package func admin(_ text: String) async throws(TokenError) -> AdminToken {
        try await cached(text, adminTokens)
    }

    /// Verifies a token by which another service calls this one. Throws `TokenError`.
    package func service(_ text: String, audience: ServiceName) async throws(TokenError) -> ServiceToken {
        let token: ServiceToken = try await verified(text)
        guard token.audience == audience else { throw .wrongAudience }
        return token
    }

    private func cached<Token: SignedToken>(
        _ text: String, _ cache: VerifiedTokenCache<Token>
    ) async throws(TokenError) -> Token {
        guard text.utf8.count <= TokenText.maximumLength else { throw .malformed }
        let digest = TokenDigest(text)
        if let token = cache.token(for: digest) {
            guard token.expiresAt.timeIntervalSince1970 + Self.leeway > now().timeIntervalSince1970 else {
                throw .expired
            }
            return token
        }
        let token: Token = try await verified(text)
        cache.insert(token, for: digest)
        return token
    }

    private func verified<Token: SignedToken>(_ text: String) async throws(TokenError) -> Token {
        let header = try TokenText.header(of: text)
        guard header.type == Token.type else { throw .wrongType }
        for key in keys.candidates(keyID: header.keyID) {
            guard let claims = try await key.verify(text) else { continue }
            try claims.check(now: now(), leeway: Self.leeway)
            return try Token(claims)
        }
        throw .signature
    }
}
