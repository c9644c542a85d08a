import Crypto
import Foundation

/// The authenticator app of a test's operator (RFC 6238: SHA-1, six digits, 30 s).
enum TOTP {
    static func code(base32 secret: String, at date: Date) -> String {
        let counter = UInt64(date.timeIntervalSince1970 / 30)
        let message = withUnsafeBytes(of: counter.bigEndian) { Data($0) }
        let key = SymmetricKey(data: decode(secret))
        let mac = Array(HMAC<Insecure.SHA1>.authenticationCode(for: message, using: key))
        let offset = Int(mac[mac.count - 1] & 0x0f)
        let number = mac[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7fff_ffff
        return String(format: "%06u", number % 1_000_000)
    }

    private static func decode(_ text: String) -> Data {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        var bits = 0
        var value = 0
        var bytes = Data()
        for character in text {
            guard let digit = alphabet.firstIndex(of: character) else { continue }
            value = value << 5 | digit
            bits += 5
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(value >> bits & 0xff))
                value &= (1 << bits) - 1
            }
        }
        return bytes
    }
}
