import CPhoneNumber

/// A phone number in its one canonical form, E.164.
///
/// Two spellings of a number are equal values: region and line type are what is known about it, not what it is. It
/// prints itself masked, so that a log line or an error cannot carry a whole number; `e164` is for the database and
/// the gateway.
package struct PhoneNumber: Sendable {
    /// The number as `+` and two to fifteen digits (ITU-T E.164 §6).
    package let e164: String
    /// The CLDR region, `IN`; `001` for numbers of no country; nil if it was not looked up.
    package let region: String?
    /// The kind of line, `.unknown` if it was not looked up or is in no range the metadata knows.
    package let lineType: LineType
    /// Whether a text message can be expected to arrive: a mobile line, or one of unknown kind whose length fits one.
    package let mayBeMobile: Bool

    /// Reads any common spelling of a phone number.
    ///
    /// Spaces, dashes, dots, brackets, invisible formatting characters, `tel:` and the decimal digits of any script
    /// are understood; letters, extensions, and everything that could be a list of numbers are refused. Throws
    /// `InvalidPhoneNumber`.
    /// - Parameter defaultRegion: the two-letter region of numbers without a plus sign; nil demands the plus sign.
    package init(parsing text: String, defaultRegion: String?) throws(InvalidPhoneNumber) {
        let digits = try PhoneSpelling.canonical(text)
        var number = postkey_phone_number()
        let outcome = digits.withCString { pointer in
            if let defaultRegion {
                defaultRegion.withCString { postkey_phone_parse(pointer, digits.utf8.count, $0, &number) }
            } else {
                postkey_phone_parse(pointer, digits.utf8.count, nil, &number)
            }
        }
        switch outcome {
        case postkey_phone_parsed: break
        case postkey_phone_no_country: throw .unknownCountry
        default: throw .impossible
        }
        let e164 = Self.text(number.e164)
        guard number.is_possible, Self.isE164(e164) else { throw .impossible }
        self.e164 = e164
        let region = Self.text(number.region)
        self.region = region.isEmpty ? nil : region
        self.lineType = LineType(number.line_type)
        self.mayBeMobile =
            switch lineType {
            case .mobile, .fixedLineOrMobile: true
            case .unknown: number.is_possible_mobile
            default: false
            }
    }

    /// Takes a number that is in canonical form already, `^\+[1-9][0-9]{1,14}$`, as databases and tokens hold it;
    /// nothing is looked up.
    package init?(e164: String) {
        guard Self.isE164(e164) else { return nil }
        self.e164 = e164
        self.region = nil
        self.lineType = .unknown
        self.mayBeMobile = true
    }

    /// Whether it is in no known range and of a length that no mobile number of its country has: a digit too many or too few.
    ///
    /// India's numbers have from 8 to 13 digits if those of companies count, so `isPossible` alone would not tell.
    package var isMistyped: Bool { lineType == .unknown && !mayBeMobile }

    /// The number without its plus sign, as the gateway wants it.
    package var digits: String { String(e164.dropFirst()) }

    /// The number without its last four digits: the block of ten thousand that limits against pumping count by.
    package var prefix: String { String(e164.dropLast(min(4, e164.count - 1))) }

    /// Whether the library knows this two-letter region, so that a misspelt setting is found at start.
    package static func isKnownRegion(_ region: String) -> Bool { callingCode(ofRegion: region) != nil }

    /// The calling code of a two-letter region (ITU-T E.164 §6.2.1), 91 of `IN`; nil if the library does not know the region.
    package static func callingCode(ofRegion region: String) -> Int? {
        guard region.utf8.count == 2 else { return nil }
        let code = region.withCString { postkey_phone_calling_code($0) }
        return code > 0 ? Int(code) : nil
    }

    private static func isE164(_ text: String) -> Bool {
        let bytes = text.utf8
        guard (3...16).contains(bytes.count), bytes.first == UInt8(ascii: "+") else { return false }
        let digits = bytes.dropFirst()
        return digits.first != UInt8(ascii: "0") && digits.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// The text in a fixed C array, up to its NUL.
    private static func text<Storage>(_ storage: Storage) -> String {
        withUnsafeBytes(of: storage) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

extension PhoneNumber: Hashable {
    package static func == (left: Self, right: Self) -> Bool { left.e164 == right.e164 }
    package func hash(into hasher: inout Hasher) { hasher.combine(e164) }
}

extension PhoneNumber: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The number with its middle hidden, `+9198*****210`; short numbers show less.
    package var description: String {
        let digits = Array(digits)
        let head = min(4, digits.count / 3)
        let tail = min(3, digits.count / 4)
        let hidden = String(repeating: "*", count: digits.count - head - tail)
        return "+" + String(digits.prefix(head)) + hidden + String(digits.suffix(tail))
    }

    /// Masked as well: `dump` and failed expectations print this.
    package var debugDescription: String { description }

    /// Shows the masked number only.
    package var customMirror: Mirror { Mirror(self, children: ["masked": description]) }
}
