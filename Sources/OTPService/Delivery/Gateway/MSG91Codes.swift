/// MSG91's error codes and texts, each in the class that says what to do (design document `msg91.md` §3.3, §5, §8).
enum MSG91Codes {
    static func outcome(code: Int) -> GatewayOutcome? {
        switch code {
        case 311: .duplicate
        case 601, 1, 2: .transient(reason: "gateway \(code)", after: nil)
        case 202: .refused(GatewayRefusal(.recipient, "\(code)"))
        case 301: .refused(GatewayRefusal(.balance, "\(code)"))
        case 506: .refused(GatewayRefusal(.quota, "\(code)"))
        case 101...107, 307...310: .refused(GatewayRefusal(.request, "\(code)"))
        case 201, 203, 205, 207...211, 302, 303, 306, 400, 401, 403, 418, 505:
            .refused(GatewayRefusal(.configuration, "\(code)"))
        default: nil
        }
    }

    /// Texts are compared in lower case and by substring: MSG91 words them differently from page to page.
    static func outcome(text: String) -> GatewayOutcome? {
        let text = text.lowercased()
        return texts.first { text.contains($0.fragment) }?.outcome
    }

    private static let texts: [(fragment: String, outcome: GatewayOutcome)] = [
        ("invalid authkey", .refused(GatewayRefusal(.configuration, "invalid-key"))),
        ("invalid_auth_key", .refused(GatewayRefusal(.configuration, "invalid-key"))),
        ("auth key missing", .refused(GatewayRefusal(.configuration, "missing-key"))),
        ("authenticationfailure", .refused(GatewayRefusal(.configuration, "invalid-key"))),
        ("unauthorized", .refused(GatewayRefusal(.configuration, "unauthorized"))),
        ("template id is invalid", .refused(GatewayRefusal(.configuration, "template"))),
        ("template id missing", .refused(GatewayRefusal(.configuration, "template"))),
        ("invalid template", .refused(GatewayRefusal(.configuration, "template"))),
        ("whitelisted", .refused(GatewayRefusal(.configuration, "ip-not-whitelisted"))),
        ("ipblocked", .refused(GatewayRefusal(.configuration, "ip-blocked"))),
        ("sender id", .refused(GatewayRefusal(.configuration, "203"))),
        ("don't contains otp", .refused(GatewayRefusal(.configuration, "template"))),
        ("otp_not_found", .refused(GatewayRefusal(.configuration, "template"))),
        ("account expired", .refused(GatewayRefusal(.configuration, "302"))),
        ("account banned", .refused(GatewayRefusal(.configuration, "303"))),
        ("demo account", .refused(GatewayRefusal(.configuration, "505"))),
        ("route missing", .refused(GatewayRefusal(.configuration, "path"))),
        ("insufficient balance", .refused(GatewayRefusal(.balance, "balance"))),
        ("same content", .duplicate),
        ("internal error", .transient(reason: "gateway 601", after: nil)),
        ("country code blocked", .refused(GatewayRefusal(.recipient, "country"))),
        ("invalid_otp_length", .refused(GatewayRefusal(.request, "otp-length"))),
        ("invalid_otp_expiry", .refused(GatewayRefusal(.request, "otp-expiry"))),
        ("enter atleast one number", .refused(GatewayRefusal(.request, "mobile-missing"))),
        ("mobile number empty or not numeric", .refused(GatewayRefusal(.recipient, "mobile"))),
        ("mobile no. empty or not numeric", .refused(GatewayRefusal(.recipient, "mobile"))),
        ("invalid mobile", .refused(GatewayRefusal(.recipient, "mobile"))),
        ("invalid_mobile_number", .refused(GatewayRefusal(.recipient, "mobile"))),
        ("no otp request found", .nothingToRepeat),
        ("no_request_found", .nothingToRepeat),
        ("last_otp_request", .nothingToRepeat),
        ("retry count maxed out", .nothingToRepeat),
        ("max_retry_count_exceeded", .nothingToRepeat),
        ("otp expired", .nothingToRepeat),
        ("otp_expired", .nothingToRepeat),
    ]
}
