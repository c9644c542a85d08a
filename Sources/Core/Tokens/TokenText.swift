/// The text of a token, judged before any cryptography or JSON decoder sees it.
enum TokenText {
    /// In bytes; ours are under 500.
    static let maximumLength = 4096

    struct Header {
        var type: String
        var keyID: String?
        /// What was signed: the first two parts and the dot between them.
        var message: ArraySlice<UInt8>
        var payload: [UInt8]
        var signature: [UInt8]
    }

    /// Checks that the text is three canonical base64url parts, the first two strict JSON objects, and that the
    /// header is one of ours.
    ///
    /// Header members other than `alg`, `typ` and `kid` are refused, whatever they say: `crit` must not be ignored
    /// (RFC 7515 §4.1.11), `jwk`, `jku` and `x5*` bring foreign keys, `zip` and `cty` other formats. Throws
    /// `TokenError`.
    static func header(of text: String, algorithm: TokenAlgorithm = .hs256) throws(TokenError) -> Header {
        guard text.utf8.count <= maximumLength else { throw .malformed }
        let bytes = Array(text.utf8)
        let parts = bytes.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Base64URL.decode(parts[0]), let payload = Base64URL.decode(parts[1]),
            let signature = Base64URL.decode(parts[2])
        else { throw .malformed }
        guard let members = StrictObject.members(of: header), StrictObject.members(of: payload) != nil else {
            throw .malformed
        }
        guard members.keys.allSatisfy({ $0 == "alg" || $0 == "typ" || $0 == "kid" }) else { throw .unsupported }
        // Exactly this spelling: lists of forbidden algorithms fell to "nOnE" (RFC 8725 §3.1).
        guard members["alg"] == .text(algorithm.rawValue) else { throw .unsupported }
        guard signature.count == algorithm.signatureLength else { throw .signature }
        guard case .text(let type)? = members["typ"] else { throw .wrongType }
        let keyID: String?
        switch members["kid"] {
        case nil: keyID = nil
        case .text(let name)?: keyID = name
        case .other?: throw .malformed
        }
        return Header(
            type: type, keyID: keyID, message: bytes[..<parts[1].endIndex], payload: payload, signature: signature)
    }
}
