import Crypto
import Foundation
import Identity
import Tokens

/// Writes and reads cursors of the message log: a place in it, sealed together with the phone that was asked for.
///
/// A place names a challenge, and who knows that can ask for its resend and answer it; who may only see messages must not learn
/// it. AES-256-GCM (NIST SP 800-38D) under a key derived from `JWT_SECRET_KEY`; a cursor from before a rotation is read.
struct MessageCursors: Sendable {
    private let keys: [SymmetricKey]

    init(_ keys: TokenKeys) {
        let (current, previous) = keys.derive("postkey message cursor")
        self.keys = [current, previous].compactMap { $0.map { SymmetricKey(data: $0.bytes) } }
    }

    /// 60 characters of base64url: nonce, challenge and number, tag. Throws if it cannot be sealed.
    func text(_ place: MessageName, of phone: PhoneNumber?) throws -> String {
        guard let key = keys.first else { return "" }
        var bytes = withUnsafeBytes(of: place.challengeID.uuid.uuid) { Array($0) }
        bytes.append(UInt8(clamping: place.number))
        let box = try AES.GCM.seal(bytes, using: key, authenticating: Self.question(phone))
        return Base64URL.encode(box.combined ?? Data())
    }

    /// The place, or nil if `text` did not write this for the same phone.
    func place(_ text: String, of phone: PhoneNumber?) -> MessageName? {
        guard text.utf8.count == 60, let bytes = Base64URL.decode(text.utf8),
            let box = try? AES.GCM.SealedBox(combined: bytes)
        else { return nil }
        for key in keys {
            guard let plain = try? AES.GCM.open(box, using: key, authenticating: Self.question(phone)),
                plain.count == 17, let number = plain.last
            else { continue }
            let uuid = Array(plain.prefix(16)).withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
            return MessageName(challengeID: ChallengeID(uuid: uuid), number: Int(number))
        }
        return nil
    }

    private static func question(_ phone: PhoneNumber?) -> [UInt8] { Array((phone?.e164 ?? "").utf8) }
}
