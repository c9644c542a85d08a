/// The text of a token, judged before any cryptography or JSON decoder sees it.
enum TokenText {
    /// In bytes; ours are under 500.
    static let maximumLength = 4096

    struct Header {
        var type: String
        var keyID: String?
    }

    /// Checks that the text is three canonical base64url parts, the first two strict JSON objects, and that the
    /// header is one of ours.
    ///
    /// Header members other than `alg`, `typ` and `kid` are refused, whatever they say: `crit` must not be ignored
    /// (RFC 7515 §4.1.11), `jwk`, `jku` and `x5*` bring foreign keys, `zip` and `cty` other formats. Throws
    /// `TokenError`.
    static func header(of text: String) throws(TokenError) -> Header {
        guard text.utf8.count <= maximumLength else { throw .malformed }
        let parts = Array(text.utf8).split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Base64URL.decode(parts[0]), let payload = Base64URL.decode(parts[1]),
            let signature = Base64URL.decode(parts[2])
        else { throw .malformed }
        guard let members = StrictObject.members(of: header), StrictObject.members(of: payload) != nil else {
            throw .malformed
        }
        guard members.keys.allSatisfy({ $0 == "alg" || $0 == "typ" || $0 == "kid" }) else { throw .unsupported }
        // Exactly this spelling: lists of forbidden algorithms fell to "nOnE" (RFC 8725 §3.1).
        guard members["alg"] == .text("HS256") else { throw .unsupported }
        guard signature.count == 32 else { throw .signature }
        guard case .text(let type)? = members["typ"] else { throw .wrongType }
        switch members["kid"] {
        case nil: return Header(type: type, keyID: nil)
        case .text(let keyID)?: return Header(type: type, keyID: keyID)
        case .other?: throw .malformed
        }
    }
}
