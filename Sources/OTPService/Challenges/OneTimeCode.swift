import Crypto
import Foundation
import Identity

/// A code as the person types it: ASCII digits, leading zeros kept. It prints itself masked.
package struct OneTimeCode: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
    /// The digits, for the gateway and the digest.
    package let digits: String

    /// Takes any non-empty string of ASCII digits; nil for anything else.
    package init?(_ text: String) {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        digits = text
    }

    /// HOTP(key, 0) with HMAC-SHA-256 (RFC 4226 §5.3).
    init(hotpKey: SymmetricKey, length: Int) {
        let counter = [UInt8](repeating: 0, count: 8)
        let mac = HMAC<SHA256>.authenticationCode(for: counter, using: hotpKey)
        self.init(truncating: Array(mac), length: length)
    }

    /// Dynamic truncation (RFC 4226 §5.3): 31 bits at the offset that the last four bits name, modulo a power of ten.
    ///
    /// `length` is 1 to 9. With 9 digits the lowest seventh of the codes is half as likely again as the rest.
    init(truncating mac: [UInt8], length: Int) {
        let offset = Int((mac.last ?? 0) & 0x0F)
        let word = mac.dropFirst(offset).prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let modulus = (0..<min(max(length, 1), 9)).reduce(UInt32(1)) { power, _ in power * 10 }
        let value = String(word % modulus)
        digits = String(repeating: "0", count: max(0, length - value.count)) + value
    }

    /// The number of digits only.
    package var description: String { "OneTimeCode(\(digits.count) digits)" }
    /// The number of digits only.
    package var debugDescription: String { description }
    /// Shows the number of digits only.
    package var customMirror: Mirror { Mirror(self, children: ["length": digits.count]) }
}
