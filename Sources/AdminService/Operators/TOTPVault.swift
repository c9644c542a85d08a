import Crypto
import Identity

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Seals TOTP secrets for the database, so that a copy of the database is not a copy of the authenticators.
///
/// AES-256-GCM under a key derived from `JWT_SECRET_KEY` by HKDF (RFC 5869) with a label of its own; the operator's
/// id is authenticated with it, so that a sealed secret moved to another row does not open.
struct TOTPVault: Sendable {
    /// The sealed text cannot be opened: neither key made it, or it is not this operator's.
    struct Unreadable: Error {}

    /// A secret, and its sealing under the current key if it was found under the previous one.
    struct Opened: Sendable {
        let secret: Secret
        let resealed: [UInt8]?
    }

    private let current: SymmetricKey
    private let previous: SymmetricKey?

    /// Takes the values of `JWT_SECRET_KEY` and `JWT_PREVIOUS_SECRET_KEY`.
    init(current: Secret, previous: Secret?) {
        self.current = Self.key(from: current)
        self.previous = previous.map(Self.key)
    }

    private static func key(from secret: Secret) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret.bytes), info: Array("postkey admin totp".utf8),
            outputByteCount: 32)
    }

    /// Nonce, ciphertext and tag in one.
    func seal(_ secret: Secret, for admin: AdminID) throws -> [UInt8] {
        let box = try AES.GCM.seal(secret.bytes, using: current, authenticating: Self.context(admin))
        guard let combined = box.combined else { throw Unreadable() }
        return Array(combined)
    }

    /// Opens what `seal` made with either key. Throws `Unreadable`.
    func open(_ sealed: [UInt8], for admin: AdminID) throws -> Opened {
        if let bytes = try? open(sealed, current, admin) { return Opened(secret: Secret(bytes: bytes), resealed: nil) }
        guard let previous, let bytes = try? open(sealed, previous, admin) else { throw Unreadable() }
        let secret = Secret(bytes: bytes)
        return Opened(secret: secret, resealed: try seal(secret, for: admin))
    }

    private func open(_ sealed: [UInt8], _ key: SymmetricKey, _ admin: AdminID) throws -> [UInt8] {
        let box = try AES.GCM.SealedBox(combined: sealed)
        return Array(try AES.GCM.open(box, using: key, authenticating: Self.context(admin)))
    }

    private static func context(_ admin: AdminID) -> [UInt8] {
        withUnsafeBytes(of: admin.uuid.uuid) { Array($0) }
    }
}
