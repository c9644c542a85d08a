#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif
package import Identity

/// What a signed-in administrator's requests carry, `admin+jwt`: admin-service → admin-service.
///
/// It names no role: rights are read from the database with each request, so that a change holds at once.
package struct AdminToken: Sendable, Hashable {
    package let adminID: AdminID
    package let sessionID: SessionID
    /// `jti`, different for each token.
    package let id: UUID
    /// To the millisecond, rounded down.
    package let issuedAt: Date
    /// To the second, rounded down.
    package let expiresAt: Date
    /// SHA-256 of issuer, a zero byte and `jti`.
    package let tokenHash: [UInt8]

    /// Describes a token to be signed. The times are rounded as they will be in the text.
    package init(adminID: AdminID, sessionID: SessionID, id: UUID, issuedAt: Date, expiresAt: Date) {
        self.adminID = adminID
        self.sessionID = sessionID
        self.id = id
        self.issuedAt = issuedAt.wholeMilliseconds
        self.expiresAt = expiresAt.wholeSeconds
        self.tokenHash = hashOfToken(issuer: Self.issuer, id: id)
    }
}

extension AdminToken: SignedToken {
    static let type = "admin+jwt"
    static let issuer = ServiceName.admin.rawValue
    static let audience = ServiceName.admin.rawValue

    init(_ claims: TokenClaims) throws(TokenError) {
        guard claims.iss == Self.issuer else { throw .wrongIssuer }
        guard claims.audiences.contains(Self.audience) else { throw .wrongAudience }
        guard let admin = AdminID(claims.sub), let session = claims.sid.flatMap(SessionID.init(_:)), let id = claims.id
        else {
            throw .malformed
        }
        self.init(
            adminID: admin, sessionID: session, id: id, issuedAt: claims.issuedAt, expiresAt: claims.expiresAt)
    }

    func claims(now: Date) -> TokenClaims {
        var claims = TokenClaims(
            issuer: Self.issuer, subject: adminID.description, audience: Self.audience, issuedAt: issuedAt,
            expiresAt: expiresAt)
        claims.sid = sessionID.description
        claims.jti = id.lowercaseText
        return claims
    }
}
