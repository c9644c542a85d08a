import Crypto
import Foundation
import Identity
import Tokens

/// Writes and reads cursors: a position in a list, signed together with the question that the list answers.
///
/// HMAC-SHA-256 under a key derived from `JWT_SECRET_KEY`. A cursor of another question, or one that somebody made, is
/// none; one from before a rotation of the key is.
struct DirectoryCursors: Sendable {
    private let keys: [SymmetricKey]

    init(_ keys: TokenKeys) {
        let (current, previous) = keys.derive("postkey directory cursor")
        self.keys = [current, previous].compactMap { $0.map { SymmetricKey(data: $0.bytes) } }
    }

    /// 54 characters of base64url: microseconds since 1970, the id, and sixteen bytes of the code.
    func text(_ position: DirectoryPosition, of query: DirectoryQuery) -> String {
        let microseconds = (position.key.timeIntervalSince1970 * 1_000_000).rounded()
        var bytes: [UInt8] = []
        withUnsafeBytes(of: (Int64(exactly: microseconds) ?? 0).bigEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: position.id.uuid) { bytes.append(contentsOf: $0) }
        guard let key = keys.first else { return "" }
        bytes.append(contentsOf: Self.code(of: bytes, query, key))
        return Base64URL.encode(bytes)
    }

    /// The position, or nil if `text` did not write this for a query with the same search, status and order.
    func position(_ text: String, of query: DirectoryQuery) -> DirectoryPosition? {
        guard text.utf8.count == 54, let bytes = Base64URL.decode(text.utf8), bytes.count == 40 else { return nil }
        let payload = Array(bytes[..<24])
        guard keys.contains(where: { ConstantTime.equal(Self.code(of: payload, query, $0), bytes[24...]) }) else {
            return nil
        }
        let microseconds = Int64(bitPattern: payload[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        return DirectoryPosition(
            key: Date(timeIntervalSince1970: Double(microseconds) / 1_000_000),
            id: payload[8...].withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) })
    }

    private static func code(of payload: [UInt8], _ query: DirectoryQuery, _ key: SymmetricKey) -> [UInt8] {
        var message = payload
        let search = query.search.map { "\($0.kind) \($0.range?.from ?? "") \($0.range?.to ?? "") \($0.pattern ?? "")" }
        for part in [query.order.rawValue, query.status?.rawValue ?? "", search ?? ""] {
            message.append(contentsOf: part.utf8)
            message.append(0)
        }
        return Array(HMAC<SHA256>.authenticationCode(for: message, using: key).prefix(16))
    }
}
