import Crypto
import Identity

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A code that stands once in the place of an authenticator's: 24 letters and digits, 120 random bits, in groups of four.
///
/// It prints itself hidden; `text` is for the person who enrols.
struct RecoveryCode: Sendable, CustomStringConvertible, CustomReflectable {
    /// So many are made with an authenticator.
    static let count = 10
    private static let length = 24

    /// In capital letters, without separators.
    private let characters: String

    /// Makes one.
    init() {
        let bytes = SymmetricKey(size: SymmetricKeySize(bitCount: 120)).withUnsafeBytes { Array($0) }
        characters = TOTPEnrolment.base32(bytes)
    }

    /// Reads what a person typed: in any case, with or without dashes and blanks. Nil for anything else.
    init?(_ typed: String) {
        guard typed.utf8.count <= 64 else { return nil }
        let kept = typed.uppercased().filter { $0 != "-" && $0 != " " }
        let isCode =
            kept.utf8.count == Self.length
            && kept.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x32...0x37).contains($0) }
        guard isCode else { return nil }
        characters = kept
    }

    /// The code as it is shown once: `ABCD-EFGH-…`.
    var text: String {
        stride(from: 0, to: Self.length, by: 4)
            .map { String(characters.dropFirst($0).prefix(4)) }
            .joined(separator: "-")
    }

    /// What the database holds. A code has too many bits to be guessed from it, so that no slow hash is needed; the
    /// operator's id makes equal codes of two operators different.
    func hash(for admin: AdminID) -> [UInt8] {
        var hasher = SHA256()
        hasher.update(data: Array("postkey recovery code".utf8))
        withUnsafeBytes(of: admin.uuid.uuid) { hasher.update(bufferPointer: $0) }
        hasher.update(data: Array(characters.utf8))
        return Array(hasher.finalize())
    }

    var description: String { "RecoveryCode(********)" }
    var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// What was entered beside the proof of the phone.
enum SecondFactorCode: Sendable {
    case totp(TOTPCode)
    case recovery(RecoveryCode)

    /// What to say about a text that is neither.
    static let expected = "must be six digits, or a recovery code of 24 letters and digits"

    /// Six digits, or a recovery code; nil for anything else.
    init?(_ text: String) {
        if let code = TOTPCode(text) {
            self = .totp(code)
        } else if let code = RecoveryCode(text) {
            self = .recovery(code)
        } else {
            return nil
        }
    }
}
