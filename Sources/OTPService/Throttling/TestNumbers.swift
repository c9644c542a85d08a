import Identity

/// `OTP_TEST_NUMBERS`: numbers that nothing is ever sent to, and whose code is always the same. In development only.
package struct TestNumbers: Sendable, Hashable {
    private let codes: [PhoneNumber: OneTimeCode]

    /// None, as in production.
    package static let none = TestNumbers(codes: [:])

    private init(codes: [PhoneNumber: OneTimeCode]) { self.codes = codes }

    /// Reads `+919999900001:123456,+919999900002:000000`; nil if a number is not E.164, a code has not `length` digits, or a
    /// number comes twice.
    package init?(_ text: String, codeLength: Int) {
        var codes: [PhoneNumber: OneTimeCode] = [:]
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.filter { $0 != " " }.split(separator: ":", omittingEmptySubsequences: false)
            guard pair.count == 2, let phone = PhoneNumber(e164: String(pair[0])),
                let code = OneTimeCode(String(pair[1])), code.digits.utf8.count == codeLength,
                codes.updateValue(code, forKey: phone) == nil
            else { return nil }
        }
        self.codes = codes
    }

    /// The code of a test number; nil for all other numbers.
    func code(for phone: PhoneNumber) -> OneTimeCode? { codes.isEmpty ? nil : codes[phone] }

    /// The numbers in E.164.
    package var phones: [String] { codes.keys.map(\.e164) }
}
