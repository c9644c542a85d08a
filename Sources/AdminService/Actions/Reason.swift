/// Why an operator does something: 1 to 500 characters that print, blanks around them left out.
struct Reason: Sendable, Hashable {
    /// In Unicode scalars, as the database counts.
    static let limits = 1...500
    /// What to say about a text that is none.
    static let expected = "must be 1 to 500 characters without control characters"

    let text: String

    /// Nil if the text is empty, too long, or has control characters or overrides of the writing direction, by which it
    /// could pose as another in a list.
    init?(_ typed: String) {
        let isBlank: (Unicode.Scalar) -> Bool = { $0.properties.isWhitespace }
        let scalars = typed.unicodeScalars.drop(while: isBlank)
        let trimmed = String(String.UnicodeScalarView(scalars.reversed().drop(while: isBlank).reversed()))
        guard Self.limits.contains(trimmed.unicodeScalars.count), trimmed.unicodeScalars.allSatisfy(Self.isPrintable),
            trimmed.unicodeScalars.contains(where: { $0.properties.generalCategory != .format })
        else { return nil }
        text = trimmed
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .unassigned, .surrogate: false
        default: !(0x202A...0x202E).contains(scalar.value) && !(0x2066...0x2069).contains(scalar.value)
        }
    }
}

/// The value of an `Idempotency-Key`: 1 to 64 visible characters of ASCII.
struct ClientKey: Sendable, Hashable {
    let text: String

    init?(_ text: String) {
        guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return nil
        }
        self.text = text
    }
}
