import Testing

@testable import OTPService

@Suite("validate-template")
struct TemplateTests {
    /// A text, and the rules that it must meet with exactly these findings above a note.
    struct Case: Sendable, CustomTestStringConvertible {
        let text: String
        let findings: [String]
        var testDescription: String { String(text.prefix(60)) }

        init(_ text: String, _ findings: [String] = []) {
            self.text = text
            self.findings = findings
        }
    }

    static let cases = [
        Case("##OTP## is your Postkey code."),
        Case("##OTP## is your Postkey code.\n\n@postkey.example ###OTP##", ["warning otp-count"]),
        Case("##OTP## is your code.\nFA+9qCX9VSu"),
        Case("##OTP## is your code.\nFA+9qCX9VSu\n@postkey.example ###OTP##", ["warning otp-count"]),
        Case("##OTP## is it.\n@a.example ###OTP## @b.example", ["warning otp-count"]),
        Case("##OTP## is it.\n@a.example ###OTP## %b.example", ["warning otp-count"]),
        // The code.
        Case("Your code", ["error otp-missing"]),
        Case("", ["error otp-missing"]),
        Case("##otp## is your code.", ["error otp-spelling", "error otp-missing"]),
        Case("##OTP## ##OTP##", ["warning otp-count"]),
        Case("##OTP## ##OTP## ##OTP##", ["error otp-count"]),
        Case("##OTP# is your code.", ["error otp-missing", "warning placeholder-broken"]),
        Case("# OTP ##OTP## #", []),
        // Variables.
        Case("##OTP## for ##name##", ["warning variable"]),
        Case("##OTP## for {#var#}", ["error dlt-untyped"]),
        Case("{#numeric#} is your code.", ["error otp-missing", "error dlt-placeholder"]),
        Case("##OTP## {#alphanumeric#}", ["error dlt-type"]),
        Case("##OTP## {#word#}", ["error dlt-type"]),
        // The line for browsers.
        Case("##OTP## it is\n@a.example ###OTP##\nBye", ["error web-otp-not-last", "warning otp-count"]),
        Case("##OTP## it is\n@a.example ###OTP##\n", ["error web-otp-not-last", "warning otp-count"]),
        Case("@a.example ###OTP##", ["error web-otp-alone"]),
        Case("##OTP## it is\n @a.example ###OTP##", ["error web-otp-indented", "warning otp-count"]),
        Case("##OTP## it is\n@a.example  ###OTP##", ["error web-otp-form", "warning otp-count"]),
        Case("##OTP## it is\n@a.example ###OTP##.", ["error web-otp-form", "warning otp-count"]),
        Case("##OTP## it is\n@a.example ###OTP## b", ["error web-otp-frame", "warning otp-count"]),
        Case("##OTP## it is\n@a.example ##OTP##", ["error web-otp-code", "warning otp-count"]),
        Case("##OTP## it is\n@example ###OTP##", ["error web-otp-domain", "warning otp-count"]),
        Case("##OTP## it is\n@https://a.example ###OTP##", ["error web-otp-domain", "warning otp-count"]),
        // The hash for Android.
        Case("<#> ##OTP## it is", ["warning app-hash-missing"]),
        Case("##OTP## it is\nFA+9qCX9VSu\nBye", ["error app-hash-place"]),
        Case(
            "##OTP## it is\nFA+9qCX9VSu\n\n@a.example ###OTP##",
            ["error app-hash-place", "warning otp-count"]),
        Case(
            "##OTP## " + String(repeating: "x", count: 130) + "\nFA+9qCX9VSu", ["error app-hash-length"]),
        Case("##OTP## it is\ninformation", []),
        // Characters, links, numbers to call.
        Case("##OTP## is your code – don’t share", ["warning character", "warning character"]),
        Case("##OTP##\tis it", ["error control-character"]),
        Case("##OTP## see https://postkey.example/x", ["warning link"]),
        Case("##OTP## see www.postkey.example or get.postkey.in/app", ["warning link", "warning link"]),
        Case("##OTP## load postkey.apk", ["warning link"]),
        Case("##OTP## call 1800 123 4567", ["warning phone-number"]),
        Case("##OTP## valid for 300 seconds, 5 attempts"),
        // Length.
        Case("##OTP##" + String(repeating: "x", count: 154)),
        Case("##OTP##" + String(repeating: "x", count: 155), ["warning length"]),
    ]

    @Test("each text has its findings", arguments: cases)
    func findings(item: Case) {
        let report = TemplateRules().examine(item.text)
        let found = report.findings.filter { $0.severity != .note }.map { "\($0.severity.rawValue) \($0.rule)" }
        #expect(found == item.findings, "\(report.findings)")
        #expect(report.valid == !item.findings.contains { $0.hasPrefix("error") })
    }

    @Test(
        "lengths are the operators'",
        arguments: [
            (String(repeating: "a", count: 160), "GSM-7", 160, 1),
            (String(repeating: "a", count: 161), "GSM-7", 161, 2),
            (String(repeating: "a", count: 306), "GSM-7", 306, 2),
            (String(repeating: "a", count: 307), "GSM-7", 307, 3),
            (String(repeating: "€", count: 80), "GSM-7", 160, 1), (String(repeating: "{", count: 81), "GSM-7", 162, 2),
            // An escape pair is not split: 76 pairs fit into 153 septets.
            (String(repeating: "[", count: 153), "GSM-7", 306, 3),
            ("@£$¥ ÄÖÑÜ§¿äöñüà Δ_ΦΓΛΩΠΨΣΘΞ", "GSM-7", 28, 1),
            (String(repeating: "क", count: 70), "UCS-2", 70, 1), (String(repeating: "क", count: 71), "UCS-2", 71, 2),
            (String(repeating: "क", count: 134), "UCS-2", 134, 2),
            (String(repeating: "क", count: 135), "UCS-2", 135, 3),
            (String(repeating: "😀", count: 35), "UCS-2", 70, 1),
            // 33 pairs fit into 67 units.
            (String(repeating: "😀", count: 67), "UCS-2", 134, 3),
            ("", "GSM-7", 0, 1),
        ])
    func lengths(text: String, encoding: String, units: Int, segments: Int) {
        let length = SMSLength(text)
        #expect(length.encoding.rawValue == encoding && length.units == units && length.segments == segments)
    }

    @Test("a character outside GSM-7 is named with its place and its replacement")
    func place() throws {
        let report = TemplateRules().examine("##OTP## is it\nIt’s for 😀 you")
        let found = report.findings.filter { $0.rule == "character" }
        #expect(found.map(\.place) == [TextPlace(line: 2, column: 3), TextPlace(line: 2, column: 10)])
        let first = try #require(found.first)
        #expect(first.description.hasPrefix("warning 2:3 character: ’ (U+2019) is not in GSM-7"))
        #expect(first.message.hasSuffix("Write ' for it."))
        #expect(report.encoding == .ucs2)
        let many = TemplateRules().examine("##OTP## " + String(repeating: "é→", count: 15))
        #expect(many.findings.filter { $0.rule == "character" }.count == 11)
    }

    @Test("values of variables: up to 30 characters are safe, up to 40 allowed")
    func values() {
        var rules = TemplateRules()
        func rule(_ count: Int) -> TemplateFinding.Severity? {
            rules.values = ["name": String(repeating: "n", count: count)]
            return rules.examine("##OTP## ##name##").findings.first { $0.rule == "variable-length" }?.severity
        }
        #expect(rule(30) == nil && rule(31) == .warning && rule(40) == .warning && rule(41) == .error)
        rules.values = ["name": "Ada"]
        rules.codeLength = 8
        let report = rules.examine("##OTP## ##name##")
        #expect(report.sample == "00000000 Ada" && report.length == 12)
    }

    @Test("the hash of a named app must be there")
    func appHash() {
        var rules = TemplateRules()
        rules.appHash = "abcdefghijk"
        #expect(rules.examine("##OTP## it is\nabcdefghijk").valid)
        #expect(rules.examine("##OTP## it is\nFA+9qCX9VSu").findings.contains { $0.rule == "app-hash-missing" })
    }

    @Test("CRLF counts as one line end")
    func lineEnds() {
        let report = TemplateRules().examine("##OTP## it is\r\n@a.example ###OTP##")
        #expect(report.valid && report.sample == "000000 it is\n@a.example #000000")
    }
}
