#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif
package import Identity

/// The proof that someone holds a phone, `otp+jwt`: otp-service → the service that the purpose belongs to.
///
/// It is good for one use, which its receiver enforces by the challenge id.
package struct VerificationToken: Sendable, Hashable {
    package let subject: PhoneNumber
    package let purpose: Purpose
    /// `jti`.
    package let challengeID: ChallengeID
    /// To the second, rounded down.
    package let expiresAt: Date

    /// Describes a token to be signed; it is valid from the moment of signing.
    package init(subject: PhoneNumber, purpose: Purpose, challengeID: ChallengeID, expiresAt: Date) {
        self.subject = subject
        self.purpose = purpose
        self.challengeID = challengeID
        self.expiresAt = expiresAt.wholeSeconds
    }
}

extension VerificationToken: SignedToken {
    static let type = "otp+jwt"
    static let issuer = ServiceName.otp.rawValue

    init(_ claims: TokenClaims) throws(TokenError) {
        guard claims.iss == Self.issuer else { throw .wrongIssuer }
        guard let subject = PhoneNumber(e164: claims.sub),
            let purpose = claims.purpose.flatMap(Purpose.init(rawValue:)),
            let challenge = claims.jti.flatMap(ChallengeID.init(_:))
        else { throw .malformed }
        // One audience, that of the purpose: a list could make one proof good for two services.
        guard claims.audiences == [purpose.audience.rawValue] else { throw .wrongAudience }
        self.init(subject: subject, purpose: purpose, challengeID: challenge, expiresAt: claims.expiresAt)
    }

    func claims(now: Date) -> TokenClaims {
        var claims = TokenClaims(
            issuer: Self.issuer, subject: subject.e164, audience: purpose.audience.rawValue, issuedAt: now,
            expiresAt: expiresAt)
        claims.purpose = purpose.rawValue
        claims.jti = challengeID.description
        return claims
    }
}
