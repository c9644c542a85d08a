import Crypto
import Identity

/// A fresh secret for an operator's authenticator app, and the address that carries it there.
struct TOTPEnrolment: Sendable {
    let secret: Secret

    /// Makes a secret of 160 random bits, the length of the hash (RFC 4226 §4, R6).
    init() {
        let bytes = SymmetricKey(size: SymmetricKeySize(bitCount: 160)).withUnsafeBytes { Array($0) }
        secret = Secret(bytes: bytes)
    }

    /// Takes a known secret.
    init(secret: Secret) { self.secret = secret }

    /// The `otpauth://` address that authenticator apps read (Key URI format). It carries the secret: it is shown once
    /// to the person who enrols, and never kept or logged.
    func uri(account: PhoneNumber) -> String {
        "otpauth://totp/Postkey:%2B\(account.digits)?secret=\(Self.base32(secret.bytes))"
            + "&issuer=Postkey&algorithm=SHA1&digits=\(TOTP.digits)&period=\(TOTP.period)"
    }

    /// RFC 4648 §6, without padding, as the apps want it.
    static func base32(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        var text = ""
        var bits: UInt32 = 0
        var count = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 5 {
                count -= 5
                text.append(alphabet[Int(bits >> UInt32(count) & 31)])
            }
            bits &= 1 << UInt32(count) - 1
        }
        if count > 0 { text.append(alphabet[Int(bits << UInt32(5 - count) & 31)]) }
        return text
    }
}
