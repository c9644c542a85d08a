import Crypto
import Foundation
package import Identity

/// What the database keeps of a code: a keyed hash, and the id of its key.
package struct SealedCode: Sendable, Hashable {
    /// Which key made the digest.
    package let keyID: String
    /// 32 bytes.
    package let digest: [UInt8]
}

/// The keys that codes come from. A code is derived again whenever it has to be sent, so that it need not be kept anywhere.
///
/// `OTP_PREVIOUS_SECRET_KEY` keeps codes alive that were sent before a rotation.
package struct CodeKeys: Sendable {
    private let current: Key
    private let previous: Key?

    /// Takes the keys as they are configured.
    package init(current: Secret, previous: Secret?) {
        self.current = Key(current)
        self.previous = previous.map(Key.init)
    }

    /// The key that new challenges use.
    package var currentID: String { current.id }

    /// The code of a challenge, `HOTP(K, 0)` with `K = HMAC(secret, challenge id ‖ phone ‖ purpose)`.
    ///
    /// The parts are the texts of the API: id in lower case, phone in E.164, purpose as its wire name; a phone ends in a digit and
    /// a purpose begins with a letter, so that no two triples give the same text. Nil if the key is not here any more.
    package func code(
        for challenge: ChallengeID, phone: PhoneNumber, purpose: Purpose, keyID: String, length: Int
    ) -> OneTimeCode? {
        guard let key = [current, previous].lazy.compactMap({ $0 }).first(where: { $0.id == keyID }) else { return nil }
        let context = challenge.description + phone.e164 + purpose.rawValue
        let hotpKey = HMAC<SHA256>.authenticationCode(for: Array(context.utf8), using: key.secret)
        return OneTimeCode(hotpKey: SymmetricKey(data: hotpKey), length: length)
    }

    /// What to store of a new challenge's code.
    package func seal(_ code: OneTimeCode, for challenge: ChallengeID) -> SealedCode {
        current.seal(code, for: challenge)
    }

    /// What would be stored if this answer were right, under each key.
    package func candidates(_ code: OneTimeCode, for challenge: ChallengeID) -> (
        current: SealedCode, previous: SealedCode?
    ) {
        (current.seal(code, for: challenge), previous?.seal(code, for: challenge))
    }

    private struct Key: Sendable {
        let id: String
        let secret: SymmetricKey
        /// Derived, so that a stored digest says nothing about K even to one who can choose codes.
        let digest: SymmetricKey

        init(_ secret: Secret) {
            self.secret = SymmetricKey(data: secret.bytes)
            digest = SymmetricKey(data: Self.derive("postkey/otp/digest", self.secret))
            id = Self.derive("postkey/otp/key-id", self.secret).prefix(4).map(Self.hexadecimal).joined()
        }

        func seal(_ code: OneTimeCode, for challenge: ChallengeID) -> SealedCode {
            let text = Array((challenge.description + code.digits).utf8)
            return SealedCode(keyID: id, digest: Array(HMAC<SHA256>.authenticationCode(for: text, using: digest)))
        }

        private static func derive(_ label: String, _ secret: SymmetricKey) -> [UInt8] {
            Array(HMAC<SHA256>.authenticationCode(for: Array(label.utf8), using: secret))
        }

        private static func hexadecimal(_ byte: UInt8) -> String {
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
    }
}

extension CodeKeys: CustomStringConvertible, CustomReflectable {
    /// The ids of the keys only.
    package var description: String { "CodeKeys(\(currentID))" }
    /// Shows the id of the current key only.
    package var customMirror: Mirror { Mirror(self, children: ["current": currentID]) }
}
