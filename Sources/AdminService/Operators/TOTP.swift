import Crypto
import Identity

/// Time-based one-time passwords: RFC 6238 with its defaults, HMAC-SHA-1, six digits, steps of 30 seconds, which are
/// what authenticator apps agree on.
///
/// SHA-1 is sound here: HMAC does not need collision resistance, and apps ignore another `algorithm` silently.
struct TOTP: Sendable {
    /// Seconds of one step.
    static let period: Int64 = 30
    static let digits = 6
    /// Steps before and after the present one whose codes are still taken (RFC 6238 §5.2 recommends at most one).
    static let drift: Int64 = 1

    private let key: SymmetricKey

    init(secret: Secret) {
        key = SymmetricKey(data: secret.bytes)
    }

    /// The step that a moment lies in, in seconds of Unix time.
    static func step(at seconds: Int64) -> Int64 { seconds / period }

    /// The code of a step: HOTP with the step as counter (RFC 4226 §5.3).
    func code(step: Int64) -> String {
        let counter = withUnsafeBytes(of: step.bigEndian) { Array($0) }
        let mac = Array(HMAC<Insecure.SHA1>.authenticationCode(for: counter, using: key))
        let offset = Int((mac.last ?? 0) & 0x0F)
        let number = mac.dropFirst(offset).prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let text = String(number % 1_000_000)
        return String(repeating: "0", count: Self.digits - text.count) + text
    }

    /// The latest step around the moment whose code this is; nil if it is none of them.
    ///
    /// Every candidate is computed and compared in full, whether or not an earlier one fitted.
    func matchingStep(_ code: TOTPCode, at seconds: Int64) -> Int64? {
        let present = Self.step(at: seconds)
        var match: Int64?
        for step in (present - Self.drift)...(present + Self.drift) where step >= 0 {
            if ConstantTime.equal(self.code(step: step).utf8, code.digits.utf8) { match = step }
        }
        return match
    }
}

/// Six ASCII digits that claim to be a code. They print themselves hidden.
struct TOTPCode: Sendable, CustomStringConvertible, CustomReflectable {
    fileprivate let digits: String

    /// Reads exactly six ASCII digits; nil for anything else.
    init?(_ text: String) {
        guard text.utf8.count == TOTP.digits, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        digits = text
    }

    var description: String { "TOTPCode(******)" }
    var customMirror: Mirror { Mirror(self, children: [:]) }
}
