import ChangeFeed
import Identity
package import ServiceRuntime

/// What the operator sets of otp-service; every variable is documented in `docs/configuration.md`.
package struct OTPSettings: Sendable {
    /// `OTP_SECRET_KEY`, `OTP_PREVIOUS_SECRET_KEY`.
    package let keys: CodeKeys
    /// `OTP_LENGTH`, `OTP_TTL`, `OTP_MAX_ATTEMPTS`.
    package let policy: CodePolicy
    /// `OTP_SENDS_PER_PHONE`, `OTP_SENDS_PER_NETWORK`, `OTP_SENDS_PER_PREFIX`, `OTP_REQUESTS_PER_NETWORK`,
    /// `OTP_RESEND_COOLDOWNS`, `OTP_FRAUD_GUARD`, `SMS_DAILY_BUDGET`.
    package let limits: SendLimits
    /// `OTP_TEST_NUMBERS`.
    package let testNumbers: TestNumbers
    /// `OTP_ALLOWED_COUNTRIES`.
    package let destinations: DestinationPolicy
    /// `DEFAULT_REGION`: how numbers without a plus sign are read; nil refuses them.
    package let defaultRegion: String?
    /// `OTP_RETENTION_DAYS`.
    package let retentionDays: Int
    /// `MSG91_BASE_URL`, `MSG91_AUTH_KEY`, `MSG91_AUTH_IN`, `MSG91_TEMPLATE_ID`.
    package let gateway: MSG91Account
    /// `MSG91_WEBHOOK_SECRET`; nil takes no delivery reports.
    package let webhookSecret: WebhookSecret?

    /// `USER_SERVICE_URL`: whose feed of revocations is followed.
    let userServiceURL: UserServiceURL

    /// Reads the settings; what is wrong is noted in the reader.
    package init(_ reader: SettingsReader, isProduction: Bool) {
        keys = CodeKeys(
            current: reader.secret("OTP_SECRET_KEY"), previous: reader.optionalSecret("OTP_PREVIOUS_SECRET_KEY"))
        Self.keepSecretsApart(reader)
        policy = CodePolicy(
            length: reader.integer("OTP_LENGTH", default: 6, in: 6...9),
            lifetime: reader.integer("OTP_TTL", default: 300, in: 60...600),
            maxAttempts: reader.integer("OTP_MAX_ATTEMPTS", default: 5, in: 1...10))
        limits = Self.limits(reader)
        destinations = DestinationPolicy(countries: Self.countries(reader))
        defaultRegion = reader.region("DEFAULT_REGION")
        retentionDays = reader.integer("OTP_RETENTION_DAYS", default: 30, in: 1...3650)
        gateway = Self.gateway(reader, isProduction: isProduction)
        webhookSecret = WebhookSecret(reader)
        userServiceURL = reader.parsed(
            "USER_SERVICE_URL", default: .local, "an http or https URL without path, query and user info",
            UserServiceURL.init)
        testNumbers = Self.testNumbers(reader, codeLength: policy.length, isProduction: isProduction)
    }

    /// A secret for each use, so that one that leaks opens one thing (design document `security.md` §1.2, V11; §1.3).
    private static func keepSecretsApart(_ reader: SettingsReader) {
        for name in ["OTP_SECRET_KEY", "OTP_PREVIOUS_SECRET_KEY"] {
            guard let value = reader.optional(name) else { continue }
            for other in ["JWT_SECRET_KEY", "JWT_PREVIOUS_SECRET_KEY"] where reader.optional(other) == value {
                reader.problem(name, "must differ from \(other): codes and tokens have secrets of their own")
            }
        }
    }

    private static func testNumbers(_ reader: SettingsReader, codeLength: Int, isProduction: Bool) -> TestNumbers {
        if isProduction, reader.optional("OTP_TEST_NUMBERS") != nil {
            reader.problem("OTP_TEST_NUMBERS", "must be absent in production")
            return .none
        }
        return reader.parsed(
            "OTP_TEST_NUMBERS", default: .none,
            "numbers with codes of OTP_LENGTH digits, like +919999900001:123456,+919999900002:000000"
        ) { TestNumbers($0, codeLength: codeLength) }
    }

    private static func limits(_ reader: SettingsReader) -> SendLimits {
        var limits = SendLimits.standard
        let perPhone = reader.parsed(
            "OTP_SENDS_PER_PHONE", default: [RateLimit(5, per: 3600), RateLimit(10, per: 86_400)],
            "one or two limits like 5/3600,10/86400"
        ) { text -> [RateLimit]? in
            let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(RateLimit.init)
            return parts.count > 2 || parts.contains(nil) ? nil : parts.compactMap { $0 }
        }
        limits.phone = perPhone.first
        limits.phoneLonger = perPhone.count > 1 ? perPhone.last : nil
        limits.network = reader.parsed(
            "OTP_SENDS_PER_NETWORK", default: limits.network, "a limit like 25/300", RateLimit.init)
        limits.prefix = reader.parsed(
            "OTP_SENDS_PER_PREFIX", default: limits.prefix, "a limit like 20/3600", RateLimit.init)
        limits.requests = reader.parsed(
            "OTP_REQUESTS_PER_NETWORK", default: limits.requests, "a limit like 300/300", RateLimit.init)
        limits.dailyBudget = reader.parsed("SMS_DAILY_BUDGET", default: nil, "a whole number from 1 to 1000000000") {
            text -> Int?? in
            guard let number = Int(text), (1...1_000_000_000).contains(number) else { return nil }
            return .some(number)
        }
        limits.fraudGuard = reader.choice("OTP_FRAUD_GUARD", default: .enforce)
        limits.cooldowns = reader.parsed(
            "OTP_RESEND_COOLDOWNS", default: limits.cooldowns, "one to ten numbers of seconds, 1 to 600, like 30,60,120"
        ) { text in
            let parts = text.split(separator: ",", omittingEmptySubsequences: false).map {
                Int($0.filter { $0 != " " })
            }
            let values = parts.compactMap { $0 }.filter { (1...600).contains($0) }
            return (1...10).contains(values.count) && values.count == parts.count ? values : nil
        }
        return limits
    }

    /// Unset it is India, where MSG91's templates are registered; `*` allows all countries.
    private static func countries(_ reader: SettingsReader) -> Set<String>? {
        let names = reader.list("OTP_ALLOWED_COUNTRIES", default: ["IN"]).map { $0.uppercased() }
        if names == ["*"] { return nil }
        if names.isEmpty || !names.allSatisfy(PhoneNumber.isKnownRegion) {
            reader.problem("OTP_ALLOWED_COUNTRIES", "must be a list of two-letter country codes like IN,US, or *")
        }
        return Set(names)
    }

    /// In development the simulator beside us, in production an account that must be named.
    private static func gateway(_ reader: SettingsReader, isProduction: Bool) -> MSG91Account {
        let url = reader.parsed(
            "MSG91_BASE_URL", default: isProduction ? .msg91 : .simulator,
            "an https URL without query, user info and fragment"
                + (isProduction ? "" : ", or http to this machine, a private address or a name without a dot")
        ) { text in
            GatewayURL(text).flatMap { isProduction && $0.plainHost != nil ? nil : $0 }
        }
        let key =
            isProduction ? reader.required("MSG91_AUTH_KEY") : reader.string("MSG91_AUTH_KEY", default: simulatorKey)
        let template =
            isProduction
            ? reader.required("MSG91_TEMPLATE_ID") : reader.string("MSG91_TEMPLATE_ID", default: simulatorTemplate)
        if isProduction, key == simulatorKey {
            reader.problem("MSG91_AUTH_KEY", "must be the key of an account, not the simulator's")
        }
        if isProduction, template == simulatorTemplate {
            reader.problem("MSG91_TEMPLATE_ID", "must be a template of the account, not the simulator's")
        }
        if !key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
            reader.problem("MSG91_AUTH_KEY", "must be printable ASCII without blanks")
        }
        if !template.isEmpty,
            !(1...64).contains(template.utf8.count) || !template.utf8.allSatisfy(Self.isTemplateCharacter)
        {
            reader.problem("MSG91_TEMPLATE_ID", "must be letters, digits, hyphens and underscores, 64 at most")
        }
        return MSG91Account(
            baseURL: url, authKey: Secret(bytes: Array(key.utf8)), templateID: template,
            keyPosition: reader.choice("MSG91_AUTH_IN", default: .header))
    }

    private static func isTemplateCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static let simulatorKey = "simulator-auth-key"
    private static let simulatorTemplate = "66a1f0c3d2b4e5968778695a"
}
