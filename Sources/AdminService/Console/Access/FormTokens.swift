import Crypto
import Identity
import Tokens

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The hidden field of every form that proves that the form came from a page of ours.
///
/// An HMAC over what the form belongs to, under a key of its own: nothing is kept, and a token of one session is of no
/// use in another.
struct FormTokens: Sendable {
    /// What a form belongs to.
    enum Owner: Sendable {
        case session(SessionID)
        /// A sign-in that is under way, by the random number in its cookie.
        case signIn(nonce: String)

        fileprivate var text: String {
            switch self {
            case .session(let id): "session:\(id)"
            case .signIn(let nonce): "sign-in:\(nonce)"
            }
        }
    }

    private let current: SymmetricKey
    private let previous: SymmetricKey?

    init(keys: TokenKeys) {
        let derived = keys.derive("postkey console forms")
        current = SymmetricKey(data: derived.current.bytes)
        previous = derived.previous.map { SymmetricKey(data: $0.bytes) }
    }

    /// The token for a form, in hexadecimal.
    func token(for owner: Owner) -> String {
        HMAC<SHA256>.authenticationCode(for: Array(owner.text.utf8), using: current).hexadecimal
    }

    /// Whether the token was made for this owner with either key; takes the same time for every wrong one.
    func isValid(_ token: String, for owner: Owner) -> Bool {
        guard let code = [UInt8](hexadecimal: token) else { return false }
        return [current, previous].compactMap(\.self).contains { key in
            HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: Array(owner.text.utf8), using: key)
        }
    }
}

extension Sequence<UInt8> {
    /// Two digits a byte, lower case.
    var hexadecimal: String {
        var text = ""
        for byte in self {
            if byte < 16 { text.append("0") }
            text += String(byte, radix: 16)
        }
        return text
    }
}

extension [UInt8] {
    /// Reads digits in either case; nil if there are others, or a number of them that is odd or beyond 8192.
    init?(hexadecimal text: String) {
        let digits = text.utf8.map { byte -> UInt8? in
            switch byte {
            case 0x30...0x39: byte - 0x30
            case 0x41...0x46: byte - 0x41 + 10
            case 0x61...0x66: byte - 0x61 + 10
            default: nil
            }
        }
        guard digits.count <= 8192, digits.count.isMultiple(of: 2), digits.allSatisfy({ $0 != nil }) else { return nil }
        self = stride(from: 0, to: digits.count, by: 2).map { (digits[$0] ?? 0) << 4 | (digits[$0 + 1] ?? 0) }
    }
}
