internal import Foundation

/// The account's state at MSG91, changeable while the simulator runs (`PUT /account`).
package struct Account: Sendable, Codable {
    /// Every key that is accepted.
    package var authKeys: Set<String>
    /// Texts of the OTP section by template id; `##OTP##` and other `##names##` are filled in.
    package var otpTemplates: [String: String]
    /// Texts of the SMS (Flow) section, a separate namespace.
    package var flowTemplates: [String: String]
    /// Texts of the OTP widgets by widget id.
    package var widgets: [String: String]
    /// False answers every call with 418, as for an address that is not on the whitelist.
    package var ipAllowed = true
    /// Messages left; nil is unlimited, 0 answers 301.
    package var balance: Int?
    /// Checks that are answered at once even without `realTimeResponse=1`.
    package var strict: Set<DeferredCheck> = []
    /// Of the answers of the OTP and SMS family.
    package var contentType = "application/json"
    /// Wrong codes after which verify answers "Max limit reached".
    package var verifyLimit = 5
    /// Whether the last four digits of a number select a fault.
    package var faultNumbers = true
    /// Milliseconds before every answer.
    package var latency = 0
    /// Whether variables are judged as operators do (digits only for the code, at most 40 characters).
    package var dltCheck = true

    /// An account in good order.
    package init(
        authKeys: Set<String>, otpTemplates: [String: String], flowTemplates: [String: String] = [:],
        widgets: [String: String] = [:]
    ) {
        self.authKeys = authKeys
        self.otpTemplates = otpTemplates
        self.flowTemplates = flowTemplates
        self.widgets = widgets
    }

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case authKeys = "auth_keys"
        case otpTemplates = "otp_templates"
        case flowTemplates = "flow_templates"
        case widgets
        case ipAllowed = "ip_allowed"
        case balance, strict
        case contentType = "content_type"
        case verifyLimit = "verify_limit"
        case faultNumbers = "fault_numbers"
        case latency = "latency_ms"
        case dltCheck = "dlt_check"
    }
}

/// Checks that MSG91 makes after its answer unless `realTimeResponse=1` is sent.
package enum DeferredCheck: String, Sendable, Codable, CaseIterable {
    case key
    case number
    case ip
    case balance
    case duplicate
}

extension Account: Setting {
    static var memberNames: [String] { CodingKeys.allCases.map(\.rawValue) }

    var problem: String? {
        SettingBounds.problem("balance", balance, SettingBounds.balance)
            ?? SettingBounds.problem("verify_limit", verifyLimit, SettingBounds.verifyLimit)
            ?? SettingBounds.problem("latency_ms", latency, SettingBounds.latency)
    }

    /// The account with the members of a JSON object replaced; throws when one is unknown, of the wrong type or out of its
    /// bounds.
    func merging(_ json: [UInt8]) throws(BadSetting) -> Account {
        let shape = BadSetting(
            sentence: "an object with these members, each of its type", members: Self.memberNames.sorted())
        guard let changes = try? JSONSerialization.jsonObject(with: Data(json)) as? [String: Any],
            changes.keys.allSatisfy({ CodingKeys(stringValue: $0) != nil }),
            let current = try? JSONEncoder().encode(self),
            var members = try? JSONSerialization.jsonObject(with: current) as? [String: Any]
        else { throw shape }
        members.merge(changes) { $1 }
        guard let merged = try? JSONSerialization.data(withJSONObject: members),
            let account = try? JSONDecoder().decode(Account.self, from: merged)
        else { throw shape }
        try account.check()
        return account
    }
}
