import HTTPServer
import Identity

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The answer of `GET /internal/changes`.
struct FeedAnswer: Decodable, Sendable {
    struct Change: Decodable, Sendable {
        let kind: String
        let userID: UserID?
        let sessionID: SessionID?
        let tokenHash: String?
        let expiresAt: String?
        let notBefore: String?

        enum CodingKeys: String, CodingKey {
            case kind
            case userID = "user_id"
            case sessionID = "session_id"
            case tokenHash = "token_hash"
            case expiresAt = "expires_at"
            case notBefore = "not_before"
        }
    }

    let changes: [Change]
    let cursor: String
    /// Whether there is more to read at once.
    let more: Bool
    /// Whether the cursor was of no use and this is the state anew.
    let reset: Bool
    /// How long after the request came the state was so, in milliseconds.
    let waited: Int

    enum CodingKeys: String, CodingKey {
        case changes
        case cursor
        case more
        case reset
        case waited = "waited_ms"
    }
}

/// What a change means for tokens.
enum RevokingChange: Sendable, Hashable {
    case token(TokenHash, expiresAt: Date)
    case session(SessionID, expiresAt: Date)
    case user(UserID, notBefore: Date)
}

extension FeedAnswer.Change {
    /// What it revokes; nil for a kind that revokes nothing, or that is newer than this program. Throws `FeedUnreadable` for a
    /// revocation that cannot be read.
    func revoking() throws(FeedUnreadable) -> RevokingChange? {
        switch kind {
        case "token-revoked":
            guard let hash = tokenHash.flatMap(TokenHash.init(hexadecimal:)), let end = expiresAt.flatMap(Self.time)
            else { throw FeedUnreadable() }
            return .token(hash, expiresAt: end)
        case "session-ended":
            guard let sessionID, let end = expiresAt.flatMap(Self.time) else { throw FeedUnreadable() }
            return .session(sessionID, expiresAt: end)
        case "user-not-before":
            guard let userID, let mark = notBefore.flatMap(Self.time) else { throw FeedUnreadable() }
            return .user(userID, notBefore: mark)
        default: return nil
        }
    }

    private static func time(_ text: String) -> Date? {
        try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(text)
    }
}

/// The feed's answer is not what was agreed: nothing of it is believed.
struct FeedUnreadable: Error {}

/// SHA-256 of issuer and `jti`, as user-service lists revoked tokens.
struct TokenHash: Hashable, Sendable {
    private let words: (UInt64, UInt64, UInt64, UInt64)

    init?(_ bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        words = bytes.withUnsafeBytes { bytes in
            (
                bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
            )
        }
    }

    init?(hexadecimal text: String) {
        let digits = Array(text.utf8)
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: 64, by: 2) {
            guard let byte = UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        self.init(bytes)
    }

    static func == (left: Self, right: Self) -> Bool { left.words == right.words }
    /// One word of a cryptographic hash spreads as well as all four.
    func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}
