/// The text of a token, judged before any cryptography or JSON decoder sees it.
enum TokenText {
    /// In bytes; ours are under 500.
    static let maximumLength = 4096

    struct Header {
        var type: String
        var keyID: String?
    }

    /// Checks that the text is three canonical base64url parts, the first two strict JSON objects, and that the header is one of ours.
    ///
    /// Header members other than `alg`, `typ` and `kid` are refused, whatever they say: `crit` must not be ignored
    /// (RFC 7515 §4.1.11), `jwk`, `jku` and `x5*` bring foreign keys, `zip` and `cty` other formats. Throws `TokenError`.
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

/// Base64 with the URL-safe alphabet (RFC 4648 §5) in its one canonical form: no padding, no other characters, unused bits zero.
enum Base64URL {
    static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count * 3 / 4)
        var buffer: UInt32 = 0
        var bits = 0
        for character in text {
            guard let value = value(of: character) else { return nil }
            buffer = buffer << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
                buffer &= (1 << UInt32(bits)) - 1
            }
        }
        return bits < 6 && buffer == 0 ? bytes : nil
    }

    private static func value(of character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
