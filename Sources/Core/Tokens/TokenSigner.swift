#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// Signs tokens with the current key.
package struct TokenSigner: Sendable {
    private let key: TokenKey
    private let accessKey: PrivateTokenKey?

    /// Signs with the current one of these keys, and users' access tokens with `accessKey` if there is one.
    package init(keys: TokenKeys, accessKey: PrivateTokenKey? = nil) {
        key = keys.current
        self.accessKey = accessKey
    }

    /// Signs a proof of a phone, valid from `now`. Throws only if JSON encoding does.
    package func sign(_ token: VerificationToken, now: Date) throws -> String { try signed(token, now) }

    /// Signs an access token, valid from its own time of issue. Throws only if JSON encoding does.
    package func sign(_ token: AccessToken, now: Date) throws -> String {
        guard let accessKey else { return try signed(token, now) }
        return try accessKey.sign(token.claims(now: now), type: AccessToken.type)
    }

    /// Signs an administrator's token, valid from its own time of issue. Throws only if JSON encoding does.
    package func sign(_ token: AdminToken, now: Date) throws -> String { try signed(token, now) }

    /// Signs a service token, valid from `now`. Throws only if JSON encoding does.
    package func sign(_ token: ServiceToken, now: Date) throws -> String { try signed(token, now) }

    private func signed<Token: SignedToken>(_ token: Token, _ now: Date) throws -> String {
        try key.sign(token.claims(now: now), type: Token.type)
    }
}
