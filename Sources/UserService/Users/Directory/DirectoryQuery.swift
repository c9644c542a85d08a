import Foundation
import Identity
import Tokens

/// A question to the directory of users.
struct DirectoryQuery: Sendable, Hashable {
    /// How many users a page has at most.
    static let limits = 1...200

    var search: DirectorySearch?
    /// Nil means all that are not deleted.
    var status: UserStatus?
    var order = DirectoryOrder.newestFirst
    var after: DirectoryCursor?
    var limit = 50
}

/// The order of a page, by time of creation.
enum DirectoryOrder: String, Sendable, CaseIterable {
    case newestFirst = "-created_at"
    case oldestFirst = "created_at"
}

/// What users are searched by.
enum DirectorySearch: Sendable, Hashable {
    /// The beginning of an E.164 number, with its plus sign.
    case phone(prefix: String)
    /// A part of the display name, in any case.
    case name(fragment: String)

    /// In Unicode scalars. Names are shorter, so that longer texts match none.
    static let maximumLength = 200

    /// Reads what was typed: digits, with or without a plus sign and separators, are a phone; anything else is a name.
    /// Nil if it is neither.
    init?(_ text: String) {
        guard let typed = DisplayText.stored(text, maximumLength: Self.maximumLength) else { return nil }
        let separators = Set(" -().+")
        if typed.allSatisfy({ separators.contains($0) || ("0"..."9").contains($0) }) {
            let digits = typed.filter { ("0"..."9").contains($0) }
            if (1...15).contains(digits.count) {
                self = .phone(prefix: "+" + digits)
                return
            }
        }
        self = .name(fragment: typed)
    }

    /// The range of phones with the prefix: a colon is what comes after the digit nine.
    var phoneRange: (from: String, to: String)? {
        guard case .phone(let prefix) = self else { return nil }
        return (prefix, prefix + ":")
    }

    /// The pattern for ILIKE; what was typed stands for itself.
    var namePattern: String? {
        guard case .name(let fragment) = self else { return nil }
        let escaped = fragment.map { #"\%_"#.contains($0) ? "\\\($0)" : String($0) }.joined()
        return "%" + escaped + "%"
    }
}

/// Where a page ended: the key of its last user, and the order it was in.
struct DirectoryCursor: Sendable, Hashable {
    let order: DirectoryOrder
    let createdAt: Date
    let id: UUID

    init(order: DirectoryOrder, last user: User) {
        self.order = order
        createdAt = user.createdAt
        id = user.id.uuid
    }

    /// Reads the text that `text` wrote; nil for anything else.
    init?(_ text: String) {
        guard text.utf8.count <= 64, let bytes = Base64URL.decode(text.utf8), bytes.count == 25 else { return nil }
        switch bytes[0] {
        case 0: order = .newestFirst
        case 1: order = .oldestFirst
        default: return nil
        }
        let microseconds = bytes[1..<9].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        // The year 5138: more than any clock of ours says, and within what a timestamp can be.
        guard microseconds < 100_000_000_000_000_000 else { return nil }
        createdAt = Date(timeIntervalSince1970: Double(microseconds) / 1_000_000)
        id = bytes[9...].withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }

    /// Base64url of order, microseconds since 1970 and id.
    var text: String {
        let microseconds = UInt64(max(0, min(createdAt.timeIntervalSince1970 * 1_000_000, 9e16)).rounded())
        var bytes: [UInt8] = [order == .newestFirst ? 0 : 1]
        withUnsafeBytes(of: microseconds.bigEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: id.uuid) { bytes.append(contentsOf: $0) }
        return Base64URL.encode(bytes)
    }
}
