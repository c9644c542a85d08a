import Crypto
import Identity

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The public half of the pair that signs users' tokens with `JWT_ALGORITHM=EdDSA` (RFC 8032, RFC 8037).
package struct PublicTokenKey: Sendable, Hashable {
    /// The key's thumbprint (RFC 7638, RFC 8037 §2): the `kid` of its tokens.
    package let id: String
    /// 32 bytes.
    package let bytes: [UInt8]

    /// Takes the 32 bytes of a key; nil if they are none.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 32, (try? Curve25519.Signing.PublicKey(rawRepresentation: bytes)) != nil else {
            return nil
        }
        self.bytes = bytes
        let members = #"{"crv":"Ed25519","kty":"OKP","x":"\#(Base64URL.encode(bytes))"}"#
        id = Base64URL.encode(Array(SHA256.hash(data: Array(members.utf8))))
    }

    /// The key as a member of a JWK set (RFC 7517, RFC 8037 §2).
    package var jwk: String {
        #"{"alg":"EdDSA","crv":"Ed25519","kid":"\#(id)","kty":"OKP","use":"sig","x":"\#(Base64URL.encode(bytes))"}"#
    }

    func isSignature(_ signature: [UInt8], of message: some DataProtocol) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else { return false }
        return key.isValidSignature(signature, for: message)
    }
}

/// The private half, which only user-service has.
package struct PrivateTokenKey: Sendable {
    /// What verifies this key's signatures.
    package let publicKey: PublicTokenKey
    private let seed: Secret

    /// Reads `JWT_PRIVATE_KEY`: PEM of PKCS#8 (RFC 8410 §7), as `openssl genpkey -algorithm ed25519` writes it, or its base64,
    /// or base64 of the 32 bytes alone; nil for anything else.
    package init?(parsing text: String) {
        guard let der = Self.bytes(text, label: "PRIVATE KEY") else { return nil }
        self.init(seed: der.starts(with: Self.prefix) ? Array(der.dropFirst(Self.prefix.count)) : der)
    }

    init?(seed: [UInt8]) {
        guard seed.count == 32, Set(seed).count >= 10,
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed),
            let publicKey = PublicTokenKey(bytes: Array(key.publicKey.rawRepresentation))
        else { return nil }
        self.publicKey = publicKey
        self.seed = Secret(bytes: seed)
    }

    /// The DER before the 32 bytes: version 0, algorithm 1.3.101.112, an octet string in an octet string (RFC 8410 §7).
    private static let prefix: [UInt8] = [
        0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ]

    /// The bytes in PEM or base64. In a variable of one line the line ends of PEM may be written `\n`.
    static func bytes(_ text: String, label: String) -> [UInt8]? {
        var rest = text.replacing("\\n", with: "\n")
        rest = rest.replacing("-----BEGIN \(label)-----", with: "").replacing("-----END \(label)-----", with: "")
        let characters = rest.filter { !$0.isWhitespace }.replacing("-", with: "+").replacing("_", with: "/")
        let padding = String(repeating: "=", count: (4 - characters.utf8.count % 4) % 4)
        return Data(base64Encoded: characters + padding).map { Array($0) }
    }

    /// Signs claims as a compact JWS (RFC 7515 §3.1). Throws only if JSON encoding or the library does.
    func sign(_ claims: TokenClaims, type: String) throws -> String {
        let header = CompactJWS.header(algorithm: "EdDSA", keyID: publicKey.id, type: type)
        let key = try Curve25519.Signing.PrivateKey(rawRepresentation: seed.bytes)
        return try CompactJWS.sign(claims, header: header) { Array(try key.signature(for: $0)) }
    }
}

extension PrivateTokenKey: CustomStringConvertible, CustomReflectable {
    /// Names the key by its public half.
    package var description: String { "PrivateTokenKey(\(publicKey.id))" }
    /// Shows the public half only.
    package var customMirror: Mirror { Mirror(self, children: ["id": publicKey.id]) }
}

extension PublicTokenKey {
    /// Reads `JWT_PREVIOUS_PRIVATE_KEY`: a private key, of which the public half is taken, or PEM or base64 of a public one
    /// (RFC 8410 §4); nil for anything else.
    package init?(parsing text: String) {
        if let key = PrivateTokenKey(parsing: text) {
            self = key.publicKey
        } else if let der = PrivateTokenKey.bytes(text, label: "PUBLIC KEY"), der.starts(with: Self.prefix) {
            self.init(bytes: Array(der.dropFirst(Self.prefix.count)))
        } else {
            return nil
        }
    }

    private static let prefix: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]
}
