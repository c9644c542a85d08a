/// Why a text is not a phone number. It never carries the text.
package enum InvalidPhoneNumber: Error, Hashable, CaseIterable {
    /// Empty, too long, or with characters that no single phone number is written with.
    case unreadable
    /// No plus sign and no default region, or a calling code that does not exist.
    case unknownCountry
    /// Not a length that numbers of its country have.
    case impossible
}

/// The many ways to write one number, reduced to an optional plus sign and ASCII digits.
///
/// Only what this lets through reaches libphonenumber, which would itself read letters as digits ("vanity" numbers),
/// drop extensions, and take the first of a list. Refusing is safer: the text that was limited must be the number
/// that is dialled.
enum PhoneSpelling {
    /// In bytes of UTF-8: fifteen three-byte digits, each with a three-byte separator, and a prefix.
    static let maximumLength = 128

    static func canonical(_ text: String) throws(InvalidPhoneNumber) -> String {
        guard text.utf8.count <= maximumLength else { throw .unreadable }
        var scalars = text.unicodeScalars[...]
        dropPrefix(&scalars)
        var result = ""
        for scalar in scalars {
            if let digit = decimalDigit(scalar) {
                result.unicodeScalars.append(digit)
            } else if isPlus(scalar) {
                guard result.isEmpty else { throw .unreadable }
                result = "+"
            } else if !isSeparator(scalar) {
                throw .unreadable
            }
        }
        guard result.utf8.count >= 2 else { throw .unreadable }
        return result
    }

    /// Drops blanks and a `tel:` in any case (RFC 3966 §3).
    private static func dropPrefix(_ scalars: inout Substring.UnicodeScalarView) {
        while let first = scalars.first, isSeparator(first) { scalars.removeFirst() }
        let scheme = String(String.UnicodeScalarView(scalars.prefix(4)))
        if scheme.lowercased() == "tel:" { scalars.removeFirst(4) }
    }

    /// The ASCII form of a decimal digit of any script (general category Nd).
    private static func decimalDigit(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
        if (0x30...0x39).contains(scalar.value) { return scalar }
        guard scalar.value > 0x7F, scalar.properties.numericType == .decimal,
            let value = scalar.properties.numericValue, let digit = UInt8(exactly: value), digit <= 9
        else { return nil }
        return Unicode.Scalar(0x30 + digit)
    }

    private static func isPlus(_ scalar: Unicode.Scalar) -> Bool { scalar == "+" || scalar == "\u{FF0B}" }

    /// Blanks, dashes, dots, round and square brackets, and invisible formatting; no control characters, so no line
    /// ends.
    private static func isSeparator(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case " ", "-", ".", "(", ")", "[", "]": return true
        case "\u{2212}", "\u{30FC}", "\u{FF08}", "\u{FF09}", "\u{FF0E}", "\u{FF3B}", "\u{FF3D}": return true
        default: break
        }
        guard scalar.value > 0x7F else { return false }
        switch scalar.properties.generalCategory {
        case .spaceSeparator, .dashPunctuation, .format: return true
        default: return false
        }
    }
}
