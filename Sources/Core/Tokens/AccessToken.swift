#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif
package import Identity

/// What a signed-in user's requests carry, `at+jwt`: user-service → `api`.
package struct AccessToken: Sendable, Hashable {
    package let userID: UserID
    package let sessionID: SessionID
    /// `jti`, different for each token.
    package let id: UUID
    /// To the millisecond, rounded down.
    package let issuedAt: Date
    /// To the second, rounded down.
    package let expiresAt: Date
    /// What `blacklisted_tokens` knows this token by: SHA-256 of issuer, a zero byte and `jti`, never of the text.
    package let tokenHash: [UInt8]

    /// Describes a token to be signed. The times are rounded as they will be in the text.
    package init(userID: UserID, sessionID: SessionID, id: UUID, issuedAt: Date, expiresAt: Date) {
        self.userID = userID
        self.sessionID = sessionID
        self.id = id
        self.issuedAt = issuedAt.wholeMilliseconds
        self.expiresAt = expiresAt.wholeSeconds
        self.tokenHash = hashOfToken(issuer: Self.issuer, id: id)
    }
}

extension AccessToken: SignedToken {
    static let type = "at+jwt"
    static let issuer = ServiceName.user.rawValue
    static let audience = "api"

    init(_ claims: TokenClaims) throws(TokenError) {
        guard claims.iss == Self.issuer else { throw .wrongIssuer }
        guard claims.audiences.contains(Self.audience) else { throw .wrongAudience }
        guard let user = UserID(claims.sub), let session = claims.sid.flatMap(SessionID.init(_:)), let id = claims.id
        else {
            throw .malformed
        }
        self.init(
            userID: user, sessionID: session, id: id, issuedAt: claims.issuedAt, expiresAt: claims.expiresAt)
    }

    func claims(now: Date) -> TokenClaims {
        var claims = TokenClaims(
            issuer: Self.issuer, subject: userID.description, audience: Self.audience, issuedAt: issuedAt,
            expiresAt: expiresAt)
        claims.sid = sessionID.description
        claims.jti = id.lowercaseText
        return claims
    }
}
