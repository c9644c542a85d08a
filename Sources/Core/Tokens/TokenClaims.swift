#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
import JWTKit

/// The claims of all our kinds of token (RFC 7519 §4); which of the optional ones must be there is each kind's matter.
struct TokenClaims: JWTPayload, Equatable {
    var iss: String
    var sub: String
    var aud: Audience
    /// Times are NumericDates, seconds since 1970. `iat` has a fraction, because it is compared with sign-out marks.
    var exp: Double
    var nbf: Double?
    var iat: Double
    var jti: String?
    var sid: String?
    var purpose: String?

    init(issuer: String, subject: String, audience: String, issuedAt: Date, expiresAt: Date) {
        iss = issuer
        sub = subject
        aud = Audience(names: [audience])
        exp = expiresAt.wholeSeconds.timeIntervalSince1970
        iat = issuedAt.wholeMilliseconds.timeIntervalSince1970
        nbf = iat
    }

    /// Times and audience are judged by `TokenVerifier`, which knows the kind and has a clock that tests can set.
    func verify(using algorithm: some JWTAlgorithm) async throws {}

    /// Judges the times. Throws `TokenError`.
    func check(now: Date, leeway: Double) throws(TokenError) {
        let now = now.timeIntervalSince1970
        // Bounds before arithmetic: a NumericDate of 1e308 is valid JSON. 1e11 is in the year 5138.
        guard [exp, iat, nbf ?? iat].allSatisfy({ $0.isFinite && (0...1e11).contains($0) }) else { throw .malformed }
        guard exp + leeway > now else { throw .expired }
        guard max(iat, nbf ?? iat) - leeway <= now else { throw .notYetValid }
    }

    var audiences: [String] { aud.names }
    var issuedAt: Date { Date(timeIntervalSince1970: iat).wholeMilliseconds }
    var expiresAt: Date { Date(timeIntervalSince1970: exp).wholeSeconds }
}

/// One name, or a list of them (RFC 7519 §4.1.3).
///
/// JWTKit's own type ends the process when the list is empty.
struct Audience: Codable, Equatable, Sendable {
    let names: [String]

    init(names: [String]) { self.names = names }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let name = try? container.decode(String.self) {
            names = [name]
        } else {
            names = try container.decode([String].self)
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if names.count == 1, let name = names.first {
            try container.encode(name)
        } else {
            try container.encode(names)
        }
    }
}

extension Date {
    /// Rounded down to the precision of `exp`.
    var wholeSeconds: Date { Date(timeIntervalSince1970: timeIntervalSince1970.rounded(.down)) }

    /// Rounded down to the precision of `iat`; half a microsecond keeps a value that is whole already from losing one to
    /// binary fractions.
    var wholeMilliseconds: Date {
        Date(timeIntervalSince1970: (timeIntervalSince1970 * 1000 + 0.0005).rounded(.down) / 1000)
    }
}
