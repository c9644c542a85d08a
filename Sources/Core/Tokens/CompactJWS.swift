#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Claims under a signature, in the compact form (RFC 7515 §7.1).
///
/// JWTKit verifies; it does not sign, because to encode a header of eight known members for each token, and base64 in four
/// passes, was an eighth of what a verified code cost otp-service.
enum CompactJWS {
    /// Sorted, so that the same claims are the same text: an answer that was lost can be given again.
    private static let encoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return encoder
    }()

    /// The first part: header parameters (RFC 7515 §4.1), none of which needs to be escaped.
    static func header(algorithm: String, keyID: String, type: String) -> String {
        Base64URL.encode(#"{"alg":"\#(algorithm)","kid":"\#(keyID)","typ":"\#(type)"}"#.utf8)
    }

    /// Signs claims. Throws if they cannot be encoded, or what `signature` throws.
    static func sign(
        _ claims: TokenClaims, header: String, signature: (_ message: [UInt8]) throws -> [UInt8]
    ) throws -> String {
        let message = header + "." + Base64URL.encode(try encoder.encode(claims))
        return message + "." + Base64URL.encode(try signature(Array(message.utf8)))
    }
}
