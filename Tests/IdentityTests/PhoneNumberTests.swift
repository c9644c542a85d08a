import Identity
import Testing

@Suite("A phone number")
struct PhoneNumberTests {
    static let spellings = [
        "+919876543210", "+91 98765 43210", "919876543210", "00919876543210", "09876543210", "9876543210",
        "+91-98765-43210", "+91(0)9876543210", "tel:+919876543210", "TEL:+91-98765-43210", " +919876543210 ",
        "(+91) 98765.43210", "[98765] 43210", "\u{FF0B}\u{FF19}\u{FF11}9876543210",
        "\u{FF19}\u{FF18}\u{FF17}\u{FF16}\u{FF15}\u{FF14}\u{FF13}\u{FF12}\u{FF11}\u{FF10}",
        "+\u{0669}\u{0661}\u{0669}\u{0668}\u{0667}\u{0666}\u{0665}\u{0664}\u{0663}\u{0662}\u{0661}\u{0660}",
        "\u{096F}\u{096E}\u{096D}\u{096C}\u{096B}\u{096A}\u{0969}\u{0968}\u{0967}\u{0966}",
        "+91\u{00A0}98765\u{200B}43210", "\u{200E}+91\u{2009}98765\u{2011}43210\u{202C}", "+91 98765\u{2013}43210",
    ]

    @Test("has one canonical form for all its spellings", arguments: spellings)
    func spelling(_ text: String) throws {
        let number = try PhoneNumber(parsing: text, defaultRegion: "IN")
        #expect(number.e164 == "+919876543210")
        #expect(number.region == "IN")
        #expect(number.lineType == .mobile)
        #expect(number.mayBeMobile)
        #expect(number == PhoneNumber(e164: "+919876543210"))
        #expect(Set([number, try PhoneNumber(parsing: "+919876543210", defaultRegion: nil)]).count == 1)
    }

    static let refused = [
        "", " ", "+", "tel:", "abc", "+1 800 FLOWERS", "++919876543210", "+0919876543210", "+91+9876543210",
        "91+9876543210",
        "919999999999,918888888888", "+919999999999;918888888888", "+919999999999|918888888888",
        "+919999999999\n918888888888", "+919876543210\r\n", "+919999999999\t918888888888", "+919876543210%2C",
        "+919876543210/918888888888",
        "+919876543210&mobile=918888888888", "+919876543210#", "+919876543210*", "+919876543210 ext. 5",
        "+919876543210;ext=5", "+919876543210 x5", "+919876543210,,5", "+91 9876543210;ext=5", "tel:tel:+919876543210",
        "sip:+919876543210", "+919876543210\0", "\u{1F4F1}+919876543210", "+91987654321\u{20E3}0",
        "[\"+919876543210\"]",
        "+91\u{2460}876543210", "+919876543210" + String(repeating: " ", count: 200),
        "+" + String(repeating: "9", count: 100_000),
    ]

    @Test("is not a list, a word, an extension or anything else", arguments: refused)
    func refusal(_ text: String) {
        #expect(throws: InvalidPhoneNumber.self) { try PhoneNumber(parsing: text, defaultRegion: "IN") }
    }

    @Test(
        "has a length that its country uses",
        arguments: [
            "100", "112", "1930", "98765", "+91987", "+9198765432101234", "+9991234567890", "987654321012345", "+1911",
        ])
    func length(_ text: String) {
        #expect(throws: InvalidPhoneNumber.self) { try PhoneNumber(parsing: text, defaultRegion: "IN") }
    }

    @Test(
        "needs its plus sign where no region is the default",
        arguments: ["9876543210", "919876543210", "00919876543210"])
    func noRegion(_ text: String) {
        #expect(throws: InvalidPhoneNumber.unknownCountry) { try PhoneNumber(parsing: text, defaultRegion: nil) }
    }

    @Test(
        "knows the kind of its line",
        arguments: [
            ("+19002345678", LineType.premiumRate, false), ("+18002345678", .tollFree, false),
            ("+912223456789", .fixedLine, false), ("+12025550123", .fixedLineOrMobile, true),
            ("+447400123456", .mobile, true), ("+442079460123", .fixedLine, false), ("+4915112345678", .mobile, true),
            ("+390612345678", .fixedLine, false), ("+393123456789", .mobile, true),
        ])
    func kind(_ text: String, _ type: LineType, _ mayBeMobile: Bool) throws {
        let number = try PhoneNumber(parsing: text, defaultRegion: nil)
        #expect(number.lineType == type)
        #expect(number.mayBeMobile == mayBeMobile)
        #expect(number.e164 == text)
    }

    @Test("may be in a range that the metadata does not know yet")
    func newRange() throws {
        let number = try PhoneNumber(parsing: "+91 5000 000 000", defaultRegion: nil)
        #expect(number.lineType == .unknown)
        #expect(number.mayBeMobile)
        #expect(number.region == "IN")
    }

    @Test(
        "has a digit too many or too few, or not",
        arguments: [
            ("+91987654321", true), ("+9198765432100", true), ("+919876543210", false), ("+915000000000", false),
            ("+919118001234567", true), ("+4474001234567", true), ("+44740012345", true), ("+447400123456", false),
            // Known lines of other kinds are what they are.
            ("+912223456789", false), ("+9118001234567", false), ("+19002345678", false), ("+442079460123", false),
        ])
    func mistyped(_ text: String, _ isMistyped: Bool) throws {
        // Some are not even possible for any line: refused before.
        guard let number = try? PhoneNumber(parsing: text, defaultRegion: nil) else {
            #expect(isMistyped)
            return
        }
        #expect(number.isMistyped == isMistyped, "\(number.lineType)")
        #expect(PhoneNumber(e164: text)?.isMistyped == false, "nothing was looked up")
    }

    @Test("of a satellite belongs to no country", arguments: ["+870773111632", "+881612345678"])
    func satellite(_ text: String) throws {
        #expect(try PhoneNumber(parsing: text, defaultRegion: "IN").region == "001")
    }

    @Test(
        "takes only the canonical form from databases and tokens",
        arguments: ["+919876543210", "+12", "+123456789012345"])
    func canonical(_ text: String) {
        #expect(PhoneNumber(e164: text)?.e164 == text)
        #expect(PhoneNumber(e164: text)?.digits == String(text.dropFirst()))
    }

    @Test(
        "takes nothing else from databases and tokens",
        arguments: [
            "", "+", "+1", "919876543210", "+0919876543210", "+1234567890123456", "+91 9876543210", "+91987654321a",
            "+\u{0669}\u{0661}98765432", "+919876543210\n", "＋919876543210",
        ])
    func notCanonical(_ text: String) {
        #expect(PhoneNumber(e164: text) == nil)
    }

    @Test("never prints the whole of itself", arguments: ["+919876543210", "+4512345678", "+12", "+123456789012345"])
    func masked(_ text: String) throws {
        let number = try #require(PhoneNumber(e164: text))
        var dumped = ""
        dump(number, to: &dumped)
        for printed in [
            number.description, "\(number)", String(reflecting: number), String(describing: [number]), dumped,
        ] {
            #expect(!printed.contains(number.digits))
            #expect(printed.contains("*"))
        }
        #expect(number.description.utf8.count == text.utf8.count)
    }

    @Test("is masked in its middle")
    func mask() {
        #expect(PhoneNumber(e164: "+919876543210")?.description == "+9198*****210")
        #expect(PhoneNumber(e164: "+919876543210")?.prefix == "+91987654")
        #expect(PhoneNumber(e164: "+12")?.prefix == "+")
    }

    @Test("comes from a region that exists")
    func regions() {
        #expect(PhoneNumber.isKnownRegion("IN") && PhoneNumber.callingCode(ofRegion: "IN") == 91)
        for region in ["", "in", "XX", "IND", "001", "ZZ", "I\0"] { #expect(!PhoneNumber.isKnownRegion(region)) }
    }

    @Test("survives ten thousand random texts")
    func randomTexts() {
        let alphabet = Array("+0123456789 -().;=,#abcXYZ\u{0660}\u{FF10}\u{200B}\u{00A0}\u{1F600}".unicodeScalars)
        for _ in 0..<10_000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0..<40) { text.append(alphabet[Int.random(in: 0..<alphabet.count)]) }
            guard let number = try? PhoneNumber(parsing: String(text), defaultRegion: "US") else { continue }
            #expect(PhoneNumber(e164: number.e164) == number)
        }
    }
}
