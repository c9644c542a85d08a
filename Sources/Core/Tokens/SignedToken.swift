import Crypto
#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
import Identity

/// What signing and verifying need to know about a kind of token.
protocol SignedToken: Sendable {
    /// The exact value of `typ` (RFC 8725 §3.11).
    static var type: String { get }
    var expiresAt: Date { get }
    /// Reads the claims of a verified token. Throws `TokenError`.
    init(_ claims: TokenClaims) throws(TokenError)
    /// The claims to sign.
    func claims(now: Date) -> TokenClaims
}

extension TokenClaims {
    /// `jti` as a UUID.
    var id: UUID? {
        guard let jti, jti.utf8.count == 36 else { return nil }
        return UUID(uuidString: jti)
    }
}

/// SHA-256(issuer ‖ 0x00 ‖ jti), with the jti in lower case.
func hashOfToken(issuer: String, id: UUID) -> [UInt8] {
    var hash = SHA256()
    hash.update(data: Array(issuer.utf8) + [0] + Array(id.lowercaseText.utf8))
    return Array(hash.finalize())
}
