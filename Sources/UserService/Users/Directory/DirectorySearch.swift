import Foundation
import Identity

/// What users are searched by.
enum DirectorySearch: Sendable, Hashable {
    /// The beginning of an E.164 number, with its plus sign, or the whole of it.
    case phone(prefix: String)
    /// All ids between two: one id, or those with a common beginning.
    case id(from: UUID, to: UUID)
    /// A part of the display name, in any case.
    case name(fragment: String)

    /// In Unicode scalars. Names are shorter, so that longer texts match none.
    static let maximumLength = 200

    /// Reads what was typed: digits, with or without a plus sign and separators, are a phone; the beginning of a UUID,
    /// at least to its first dash, is an id; anything else is a name. Nil if it is none of these.
    init?(_ text: String) {
        guard let typed = DisplayText.stored(text, maximumLength: Self.maximumLength) else { return nil }
        self = Self.phone(typed) ?? Self.id(typed) ?? .name(fragment: typed)
    }

    private static func phone(_ typed: String) -> DirectorySearch? {
        let separators = Set(" -().+".utf8)
        guard typed.utf8.allSatisfy({ separators.contains($0) || isDigit($0) }) else { return nil }
        let digits = typed.utf8.filter(isDigit)
        // No E.164 number begins with a zero (ITU-T E.164 §6.1); the ids that we make do.
        guard (1...15).contains(digits.count), digits.first != UInt8(ascii: "0") else { return nil }
        return .phone(prefix: "+" + String(decoding: digits, as: UTF8.self))
    }

    private static func id(_ typed: String) -> DirectorySearch? {
        let form = "00000000-0000-0000-0000-000000000000".utf8
        guard (9...form.count).contains(typed.utf8.count),
            zip(typed.utf8, form).allSatisfy({ ($0 == UInt8(ascii: "-")) == ($1 == UInt8(ascii: "-")) }),
            let from = UUID(uuidString: typed + String(decoding: form.dropFirst(typed.utf8.count), as: UTF8.self)),
            let to = UUID(
                uuidString: typed
                    + String(form.dropFirst(typed.utf8.count).map { $0 == UInt8(ascii: "0") ? "f" : "-" }))
        else { return nil }
        return .id(from: from, to: to)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// The word by which `list_directory` in the schema knows the kind of search.
    var kind: String {
        switch self {
        case .phone: "phone"
        case .id: "id"
        case .name(let fragment): Self.isIndexable(fragment) ? "name" : "text"
        }
    }

    /// The range of what is searched for. Of phones it excludes its end: a colon is what comes after the digit nine.
    var range: (from: String, to: String)? {
        switch self {
        case .phone(let prefix): (prefix, prefix + ":")
        case .id(let from, let to): (from.lowercaseText, to.lowercaseText)
        case .name: nil
        }
    }

    /// The pattern for ILIKE; what was typed stands for itself.
    var pattern: String? {
        guard case .name(let fragment) = self else { return nil }
        let escaped = fragment.unicodeScalars.map { #"\%_"#.unicodeScalars.contains($0) ? "\\\($0)" : String($0) }
        return "%" + escaped.joined() + "%"
    }

    /// Whether the index of fragments helps: it knows names by three letters or digits in a row (pg_trgm).
    private static func isIndexable(_ fragment: String) -> Bool {
        var run = 0
        for scalar in fragment.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .otherLetter, .decimalNumber: run += 1
            default: run = 0
            }
            if run == 3 { return true }
        }
        return false
    }
}
