import Identity

/// What operators type to find a phone, as user-service searches for it: E.164 or the beginning of it.
enum PhoneSearch {
    /// The number that was meant, `+919811200001` of `098112 00001`, or its beginning; any other text as it is.
    ///
    /// Digits without a plus sign are of the default region, as they are everywhere; without one they are as they are.
    static func text(_ typed: String, defaultRegion: String?) -> String {
        // 01932c00-… begins the id of a user.
        if typed.wholeMatch(of: /[0-9A-Fa-f]{8}-.*/) != nil { return typed }
        if let phone = try? PhoneNumber(parsing: typed, defaultRegion: defaultRegion), phone.lineType != .unknown {
            return phone.e164
        }
        // tel:+91… (RFC 3966 §3), not whole yet.
        if typed.lowercased().hasPrefix("tel:+") { return String(typed.dropFirst(4)) }
        guard let code = defaultRegion.flatMap(PhoneNumber.callingCode(ofRegion:)), isBeginning(typed) else {
            return typed
        }
        let digits = typed.filter { $0.isASCII && $0.isNumber }
        if digits.hasPrefix("00") { return "+" + digits.drop { $0 == "0" } }
        let national = digits.drop { $0 == "0" }
        return national.hasPrefix("\(code)") && !digits.hasPrefix("0") ? "+\(digits)" : "+\(code)\(national)"
    }

    /// Whether it is digits and what separates them, without a plus sign.
    private static func isBeginning(_ typed: String) -> Bool {
        typed.utf8.allSatisfy { (0x30...0x39).contains($0) || " -().".utf8.contains($0) }
            && typed.utf8.contains { (0x31...0x39).contains($0) }
    }
}
