import Foundation

/// What a user may change about themselves: each member is kept, cleared or set.
struct ProfileChange: Sendable, Hashable {
    var displayName = Change<String>.keep
    var locale = Change<String>.keep
    var email = Change<String>.keep

    /// Checks all three and returns them as they will be stored; or else what is wrong, by field.
    func checked() -> Result<ProfileChange, InvalidProfile> {
        var wrong: [ProfileField] = []
        func check(_ change: Change<String>, _ field: ProfileField) -> Change<String> {
            guard case .set(let text) = change else { return change }
            guard let value = field.stored(text) else {
                wrong.append(field)
                return .keep
            }
            return .set(value)
        }
        let checked = ProfileChange(
            displayName: check(displayName, .displayName), locale: check(locale, .locale), email: check(email, .email))
        return wrong.isEmpty ? .success(checked) : .failure(InvalidProfile(fields: wrong))
    }
}

/// What becomes of one member.
enum Change<Value: Sendable & Hashable>: Sendable, Hashable {
    /// The request did not have the member.
    case keep
    /// The request had null.
    case clear
    case set(Value)

    var isKept: Bool { self == .keep }
    var value: Value? { if case .set(let value) = self { value } else { nil } }
}

/// The members of a profile that cannot be stored as they were sent.
struct InvalidProfile: Error, Hashable { let fields: [ProfileField] }

/// A member of a profile with its rule; the schema has a named check for each.
enum ProfileField: String, Sendable, CaseIterable {
    case displayName = "display_name"
    case locale
    case email

    /// What a client is told about a value that breaks the rule.
    var expectation: String {
        switch self {
        case .displayName: "must be 1 to 80 characters without control characters"
        case .locale: "must be a language tag such as en or pt-BR, at most 35 characters"
        case .email: "must be an e-mail address of at most 254 characters"
        }
    }

    /// The value as it will be stored, or nil if it breaks the rule.
    func stored(_ text: String) -> String? {
        switch self {
        case .displayName: DisplayText.stored(text)
        case .locale: Self.isLocale(text) ? text : nil
        case .email: Self.isEmail(text) ? text : nil
        }
    }

    /// The shape of a language tag (RFC 5646 §2.1): a language of two or three letters and subtags.
    private static func isLocale(_ text: String) -> Bool {
        guard text.utf8.count <= 35 else { return false }
        let subtags = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard let language = subtags.first, (2...3).contains(language.count), language.allSatisfy(isLetter) else {
            return false
        }
        return subtags.dropFirst().allSatisfy { subtag in
            (2...8).contains(subtag.count) && subtag.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) }
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }

    /// One at sign between texts without blanks, quotes or controls: only a message can tell whether it is an address.
    private static func isEmail(_ text: String) -> Bool {
        guard (3...254).contains(text.unicodeScalars.count) else { return false }
        let forbidden = text.unicodeScalars.contains { scalar in
            scalar.value < 0x80
                ? scalar.value <= 0x20 || scalar.value == 0x7F || #"<>()[]\,;:""#.unicodeScalars.contains(scalar)
                : !DisplayText.isPrintable(scalar) || scalar.properties.isWhitespace
        }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return !forbidden && parts.count == 2 && parts.allSatisfy { !$0.isEmpty }
    }
}

/// Text that people wrote for people: names of themselves and of their devices.
enum DisplayText {
    /// In Unicode scalars, as the database counts.
    static let maximumLength = 80

    /// The text without blanks around it; nil if it is empty, too long, or has characters that do not print.
    static func stored(_ text: String, maximumLength: Int = maximumLength) -> String? {
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        let scalars = trimmed.unicodeScalars
        guard (1...maximumLength).contains(scalars.count), scalars.allSatisfy(isPrintable) else { return nil }
        // Invisible characters alone would be a name that nobody sees.
        guard scalars.contains(where: { $0.properties.generalCategory != .format && !$0.properties.isWhitespace })
        else {
            return nil
        }
        return trimmed
    }

    /// Neither control characters and line ends, nor the overrides of writing direction by which a text can pose as
    /// another.
    static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .unassigned, .surrogate: false
        default: !(0x202A...0x202E).contains(scalar.value) && !(0x2066...0x2069).contains(scalar.value)
        }
    }
}
