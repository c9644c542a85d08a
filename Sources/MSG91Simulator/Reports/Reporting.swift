/// Where delivery reports go, in which shape and how unreliably; the body of `PUT /reporting`.
package struct Reporting: Sendable, Codable {
    /// The webhook; nil sends no reports.
    package var url: String?
    package var format = Format.v3
    /// The customer's JSON for the new webhook, with placeholders like `{{status}}`; nil: one of MSG91's usual fields.
    package var template: String?
    /// Milliseconds between acceptance and report.
    package var delay = 0
    /// Every report comes twice.
    package var duplicate = false
    /// Reports change places with the next one.
    package var reorder = false
    /// No report comes, though all is configured.
    package var drop = false
    /// Reports name a request that never was.
    package var wrongRequestID = false
    /// Reports do not echo the caller's reference.
    package var missingCRQID = false
    /// Before the final report comes one that says "sent", as some webhooks do.
    package var interim = false
    /// MSG91 pauses a webhook of whose reports more than 2 % finally failed; false resumes it.
    package var paused = false
    /// Factor on the waits between attempts (30 s, 1, 5, 15, 30 min), to make tests short.
    package var timeScale = 1.0

    /// No reports.
    package init(url: String? = nil, format: Format = .v3) {
        self.url = url
        self.format = format
    }

    /// The members that are absent have their defaults.
    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        url = try members.decodeIfPresent(String.self, forKey: .url)
        format = try members.decodeIfPresent(Format.self, forKey: .format) ?? .v3
        template = try members.decodeIfPresent(String.self, forKey: .template)
        delay = try members.decodeIfPresent(Int.self, forKey: .delay) ?? 0
        duplicate = try members.decodeIfPresent(Bool.self, forKey: .duplicate) ?? false
        reorder = try members.decodeIfPresent(Bool.self, forKey: .reorder) ?? false
        drop = try members.decodeIfPresent(Bool.self, forKey: .drop) ?? false
        wrongRequestID = try members.decodeIfPresent(Bool.self, forKey: .wrongRequestID) ?? false
        missingCRQID = try members.decodeIfPresent(Bool.self, forKey: .missingCRQID) ?? false
        interim = try members.decodeIfPresent(Bool.self, forKey: .interim) ?? false
        paused = try members.decodeIfPresent(Bool.self, forKey: .paused) ?? false
        timeScale = try members.decodeIfPresent(Double.self, forKey: .timeScale) ?? 1
    }

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case url, format, template
        case delay = "delay_ms"
        case duplicate, reorder, drop
        case wrongRequestID = "wrong_request_id"
        case missingCRQID = "missing_crqid"
        case interim, paused
        case timeScale = "time_scale"
    }

    /// MSG91's generations of webhooks.
    package enum Format: String, Sendable, Codable, CaseIterable {
        case v2
        case v3
        case v4
        /// "Webhook (New)": JSON from the customer's own template.
        case json
    }

    var isConfigured: Bool { url != nil && !drop && !paused }
}

extension Reporting: Setting {
    static var memberNames: [String] { CodingKeys.allCases.map(\.rawValue) }

    var problem: String? {
        SettingBounds.problem("delay_ms", delay, SettingBounds.delay)
            ?? SettingBounds.problem("time_scale", timeScale, SettingBounds.timeScale)
            ?? WebhookTemplate.problem(template)
    }
}
