#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif
package import Identity
import Synchronization

/// Verifies tokens: bounds, header, signature, kind, issuer, audience, times, in this order.
///
/// Whether a token was revoked is not its matter: that is asked of the database with each request.
package final class TokenVerifier: Sendable {
    /// How far the clocks of two machines may differ, in seconds (RFC 7519 §4.1.4).
    package static let leeway: Double = 30

    private let keys: TokenKeys
    private let accessKeys: (any AccessKeySource)?
    private let generation: Mutex<Int>
    private let now: @Sendable () -> Date
    private let accessTokens: VerifiedTokenCache<AccessToken>
    private let adminTokens: VerifiedTokenCache<AdminToken>
    private let checks = Atomic<Int>(0)

    /// How many signatures of tokens were checked so far: for a token that is remembered none is checked.
    package var signatureChecks: Int { checks.load(ordering: .relaxed) }

    /// Verifies with both of these keys.
    /// - Parameters:
    ///   - accessKeys: what verifies users' access tokens instead, with EdDSA and nothing else; nil for HS256.
    ///   - cacheCapacity: how many verified tokens of each kind are remembered at most; 0 remembers none.
    ///   - now: the clock, for tests.
    package init(
        keys: TokenKeys, accessKeys: (any AccessKeySource)? = nil, cacheCapacity: Int = 10_000,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.keys = keys
        self.accessKeys = accessKeys
        generation = Mutex(accessKeys?.generation ?? 0)
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
        guard let accessKeys else { return try await cached(text, accessTokens, verified) }
        if generation.withLock({ known in
            defer { known = accessKeys.generation }
            return known != accessKeys.generation
        }) {
            accessTokens.removeAll()
        }
        return try await cached(text, accessTokens) { text throws(TokenError) in
            try await self.verified(text, accessKeys)
        }
    }

    /// Whether a text looks like a token of ours that is no access token: for an error message, not a judgement.
    package static func isOfOtherKind(_ text: String) -> Bool {
        guard let header = try? TokenText.header(of: text) else { return false }
        return [VerificationToken.type, AdminToken.type, ServiceToken.type].contains(header.type)
    }

    /// Verifies an administrator's token, which may have been revoked since. Throws `TokenError`.
    package func admin(_ text: String) async throws(TokenError) -> AdminToken {
        try await cached(text, adminTokens, verified)
    }

    /// Verifies a token by which another service calls this one. Throws `TokenError`.
    /// - Parameter callers: the services that have business here.
    package func service(
        _ text: String, audience: ServiceName, callers: Set<ServiceName>
    ) async throws(TokenError) -> ServiceToken {
        let token: ServiceToken = try await verified(text)
        guard token.audience == audience else { throw .wrongAudience }
        guard callers.contains(token.service) else { throw .wrongIssuer }
        return token
    }

    private func cached<Token: SignedToken>(
        _ text: String, _ cache: VerifiedTokenCache<Token>,
        _ verified: (String) async throws(TokenError) -> Token
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
        checks.add(1, ordering: .relaxed)
        for key in keys.candidates(keyID: header.keyID) {
            guard let claims = try await key.verify(text) else { continue }
            try claims.check(now: now(), leeway: Self.leeway)
            return try Token(claims)
        }
        throw .signature
    }

    /// With EdDSA the key verifies nothing else, and nothing else verifies (RFC 8725 §3.1): the public key's bytes are
    /// never a secret of an HMAC.
    private func verified(_ text: String, _ source: any AccessKeySource) async throws(TokenError) -> AccessToken {
        let header = try TokenText.header(of: text, algorithm: .edDSA)
        guard header.type == AccessToken.type else { throw .wrongType }
        checks.add(1, ordering: .relaxed)
        for key in await source.keys(for: header.keyID) {
            guard key.isSignature(header.signature, of: header.message) else { continue }
            guard let claims = try? JSONDecoder().decode(TokenClaims.self, from: Data(header.payload)) else {
                throw .malformed
            }
            try claims.check(now: now(), leeway: Self.leeway)
            return try AccessToken(claims)
        }
        throw .signature
    }
}
