import Crypto

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
package import Identity
import JWTKit

/// The keys that tokens are signed and verified with.
///
/// Tokens are signed with the current key. The previous one still verifies, so that a rotation signs nobody out: it
/// is removed when the longest-lived token signed with it has expired.
package struct TokenKeys: Sendable {
    let current: TokenKey
    let previous: TokenKey?
    private let secrets: (current: Secret, previous: Secret?)

    /// Takes the values of `JWT_SECRET_KEY` and `JWT_PREVIOUS_SECRET_KEY`.
    package init(current: Secret, previous: Secret?) {
        self.current = TokenKey(current)
        self.previous = previous.map(TokenKey.init)
        secrets = (current, previous)
    }

    /// Derives keys for another use than signing tokens: HKDF-SHA-256 (RFC 5869), 32 bytes, `label` as info.
    ///
    /// So that what one use reveals about its key is of no help against another.
    package func derive(_ label: String) -> (current: Secret, previous: Secret?) {
        (Self.derive(secrets.current, label), secrets.previous.map { Self.derive($0, label) })
    }

    private static func derive(_ secret: Secret, _ label: String) -> Secret {
        let key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret.bytes), info: Array(label.utf8), outputByteCount: 32)
        return Secret(bytes: key.withUnsafeBytes { Array($0) })
    }

    /// The keys to try for a token, most likely first.
    ///
    /// The key id chooses between our own two keys when it names one of them, and is otherwise ignored: it is written
    /// by whoever wrote the token, and never looked up anywhere (RFC 8725 §3.10).
    func candidates(keyID: String?) -> [TokenKey] {
        let all = [current, previous].compactMap(\.self)
        let named = all.filter { $0.id == keyID }
        return named.isEmpty ? all : named
    }
}

/// One HS256 key, and the only place where JWTs are signed and verified.
struct TokenKey: Sendable {
    /// The first eight bytes of a hash of the key, in hexadecimal.
    let id: String
    private let key: SymmetricKey
    private let collection: Task<JWTKeyCollection, Never>

    init(_ secret: Secret) {
        var hash = SHA256()
        hash.update(data: Array("postkey key id".utf8) + [0])
        hash.update(data: secret.bytes)
        id = hash.finalize().prefix(8).map { byte in
            let text = String(byte, radix: 16)
            return byte < 16 ? "0" + text : text
        }.joined()
        // HMAC pads short keys with zeros itself (RFC 2104 §2); JWTKit asserts the length beforehand.
        let padding = [UInt8](repeating: 0, count: max(0, 32 - secret.bytes.count))
        let key = HMACKey(from: secret.bytes + padding)
        self.key = SymmetricKey(data: secret.bytes)
        collection = Task { await JWTKeyCollection().add(hmac: key, digestAlgorithm: .sha256) }
    }

    /// Signs claims as a compact JWS with HMAC-SHA-256 (RFC 7518 §3.2). Throws only if JSON encoding does.
    func sign(_ claims: TokenClaims, type: String) throws -> String {
        let header = CompactJWS.header(algorithm: "HS256", keyID: id, type: type)
        return try CompactJWS.sign(claims, header: header) { message in
            Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
        }
    }

    /// Returns the claims if this key made the signature, else nil. Throws `TokenError.malformed`.
    func verify(_ text: String) async throws(TokenError) -> TokenClaims? {
        do {
            return try await collection.value.verify(text, as: TokenClaims.self)
        } catch let error as JWTError where error.errorType == .signatureVerificationFailed {
            return nil
        } catch {
            throw .malformed
        }
    }
}
