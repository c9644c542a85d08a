import Crypto
import Foundation
import Identity
import Tokens

/// A refresh token: the session's id, a generation, and 256 bits that only we can compute.
///
/// The secret part is HMAC-SHA-256 of the other two under a key derived from `JWT_SECRET_KEY`, so that the successor
/// of a token can be given twice without being kept. The database holds the SHA-256 of the whole and decides by that:
/// sessions outlive a rotation of the key.
struct RefreshToken: Sendable, Hashable {
    let sessionID: SessionID
    /// 0 to 2³¹−1.
    let generation: Int
    /// 70 characters of base64url.
    let text: String
    /// What the database knows the token by.
    let hash: [UInt8]
    /// Whether the secret part is the one that one of our keys gives. False for inventions, and after its key was
    /// removed.
    let isGenuine: Bool
}

/// Makes and reads refresh tokens.
struct RefreshTokens: Sendable {
    private let keys: [SymmetricKey]

    init(_ keys: TokenKeys) {
        let (current, previous) = keys.derive("postkey refresh token")
        self.keys = [current, previous].compactMap { $0.map { SymmetricKey(data: $0.bytes) } }
    }

    /// The token of a generation, by the current key.
    func token(of session: SessionID, generation: Int) -> RefreshToken? {
        keys.first.flatMap { Self.token(session, generation, $0) }
    }

    /// The token of a generation that has this hash, by whichever key.
    func token(of session: SessionID, generation: Int, hash: [UInt8]) -> RefreshToken? {
        keys.lazy.compactMap { Self.token(session, generation, $0) }.first { $0.hash == hash }
    }

    /// Reads what a client sent; nil if it does not have the form of a refresh token.
    func read(_ text: String) -> RefreshToken? {
        guard text.utf8.count == Self.textLength, let bytes = Base64URL.decode(text.utf8), bytes.count == Self.length
        else {
            return nil
        }
        let uuid = bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
        let generation = bytes[16..<20].reduce(0) { $0 << 8 | Int($1) }
        guard generation <= Int(Int32.max) else { return nil }
        let message = Array(bytes[..<20])
        let code = Array(bytes[20...])
        let isGenuine = keys.contains { key in
            HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: message, using: key)
        }
        return RefreshToken(
            sessionID: SessionID(uuid: uuid), generation: generation, text: text, hash: Self.hash(bytes),
            isGenuine: isGenuine)
    }

    private static let length = 52
    private static let textLength = 70

    private static func token(_ session: SessionID, _ generation: Int, _ key: SymmetricKey) -> RefreshToken? {
        guard let number = Int32(exactly: generation), number >= 0 else { return nil }
        var bytes = withUnsafeBytes(of: session.uuid.uuid) { Array($0) }
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: HMAC<SHA256>.authenticationCode(for: bytes, using: key))
        return RefreshToken(
            sessionID: session, generation: generation, text: Base64URL.encode(bytes), hash: hash(bytes),
            isGenuine: true)
    }

    private static func hash(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }
}

extension RefreshToken: CustomStringConvertible, CustomReflectable {
    /// Names the session and the generation only.
    var description: String { "RefreshToken(session \(sessionID), generation \(generation))" }
    /// Shows the session and the generation only.
    var customMirror: Mirror { Mirror(self, children: ["session": sessionID.description, "generation": generation]) }
}
