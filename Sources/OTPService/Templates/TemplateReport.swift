/// One thing that is worth knowing about a template.
package struct TemplateFinding: Sendable, Hashable {
    package enum Severity: String, Sendable, Encodable, CaseIterable {
        /// Messages would not go out, or would arrive without a code.
        case error
        /// Costs more, or works on some phones only.
        case warning
        /// A fact.
        case note
    }

    package let severity: Severity
    /// A name that does not change: `otp-missing`.
    package let rule: String
    package let message: String
    /// Nil for what concerns the whole text.
    package let place: TextPlace?
}

extension TemplateFinding: CustomStringConvertible, Encodable {
    /// `error 3:1 web-otp-not-last: …`
    package var description: String {
        let position = place.map { " \($0.line):\($0.column)" } ?? ""
        return "\(severity.rawValue)\(position) \(rule): \(message)"
    }

    enum CodingKeys: String, CodingKey { case severity, rule, message, line, column }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(severity, forKey: .severity)
        try container.encode(rule, forKey: .rule)
        try container.encode(message, forKey: .message)
        try container.encodeIfPresent(place?.line, forKey: .line)
        try container.encodeIfPresent(place?.column, forKey: .column)
    }
}

/// What the rules say about a template.
package struct TemplateReport: Sendable, Hashable, Encodable {
    /// Whether there is no error.
    package let valid: Bool
    package let encoding: SMSLength.Encoding
    /// Septets or UTF-16 units of the longest message.
    package let length: Int
    /// Messages that are paid for each time.
    package let segments: Int
    /// The message as it would be sent, variables at their longest.
    package let sample: String
    /// Errors first, each kind in the order of the text.
    package let findings: [TemplateFinding]

    init(sample: String, length: SMSLength, findings: [TemplateFinding]) {
        self.sample = sample
        encoding = length.encoding
        self.length = length.units
        segments = length.segments
        valid = !findings.contains { $0.severity == .error }
        self.findings = TemplateFinding.Severity.allCases.flatMap { severity in
            findings.filter { $0.severity == severity }
        }
    }
}
