/// The rules for the text of an OTP template: India's DLT (design document `msg91.md` §10), MSG91's placeholders, and what phones
/// need to fill the code in by themselves.
package struct TemplateRules: Sendable {
    /// Digits of a code.
    package var codeLength = 6
    /// Values of other variables; a variable without one counts as 40 characters.
    package var values: [String: String] = [:]
    /// The hash of the Android app that is to read the message, 11 characters; nil looks for any.
    package var appHash: String?

    static let longestValue = 40
    /// Other providers' limit.
    static let cautiousValue = 30

    /// Rules for codes of six digits.
    package init() {}

    /// Judges a text.
    package func examine(_ raw: String) -> TemplateReport {
        let template = TemplateText(raw)
        let sample = template.filled(value)
        let length = SMSLength(sample)
        let findings =
            codeFindings(template) + variableFindings(template) + autoFillFindings(template, sample: sample)
            + characterFindings(template) + linkFindings(template) + [lengthFinding(length)]
        return TemplateReport(sample: sample, length: length, findings: findings)
    }

    func value(_ variable: TemplateText.Variable) -> String {
        if isCode(variable) { return String(repeating: "0", count: codeLength) }
        return values[variable.name] ?? String(repeating: "x", count: Self.longestValue)
    }

    func isCode(_ variable: TemplateText.Variable) -> Bool {
        variable.notation == .msg91 && variable.name == "OTP"
    }

    private func codeFindings(_ template: TemplateText) -> [TemplateFinding] {
        let codes = template.variables.filter(isCode)
        var findings: [TemplateFinding] = []
        for variable in template.variables where !isCode(variable) {
            guard variable.notation == .msg91, variable.name.lowercased() == "otp" else { continue }
            findings.append(
                .error("otp-spelling", "##\(variable.name)## is not filled in: write ##OTP##.", variable.place))
        }
        switch codes.count {
        case 0: findings.append(.error("otp-missing", "##OTP## is missing: the message would carry no code."))
        case 1: findings.append(.note("otp-count", "##OTP## stands once."))
        case 2:
            let second = webOTPLine(template)?.code == true
            findings.append(
                .warning(
                    "otp-count",
                    second
                        ? "##OTP## stands twice, as the line for browsers needs; send a test to see that MSG91 fills in both."
                        : "##OTP## stands twice.", codes.last?.place))
        default: findings.append(.error("otp-count", "##OTP## stands \(codes.count) times.", codes.last?.place))
        }
        for place in template.stray {
            findings.append(.warning("placeholder-broken", "## without its pair is sent as it stands.", place))
        }
        return findings
    }

    private func variableFindings(_ template: TemplateText) -> [TemplateFinding] {
        var seen: Set<String> = []
        return template.variables.filter { !isCode($0) }.flatMap { variable -> [TemplateFinding] in
            if variable.notation == .dlt { return [dltFinding(variable)] }
            guard variable.name.lowercased() != "otp", seen.insert(variable.name).inserted else { return [] }
            var findings = [
                TemplateFinding.warning(
                    "variable", "##\(variable.name)## is a variable that otp-service does not send: it stays blank.",
                    variable.place)
            ]
            guard let value = values[variable.name] else { return findings }
            if value.count > Self.longestValue {
                findings.append(
                    .error(
                        "variable-length", "The value of \(variable.name) has \(value.count) characters, more than 40.")
                )
            } else if value.count > Self.cautiousValue {
                findings.append(
                    .warning(
                        "variable-length",
                        "The value of \(variable.name) has \(value.count) characters; some operators take 30."))
            }
            return findings
        }
    }

    /// `{#name#}` belongs into the DLT portal, where its name is a type since January 2026.
    private func dltFinding(_ variable: TemplateText.Variable) -> TemplateFinding {
        let written = "{#\(variable.name)#}"
        switch variable.name.lowercased() {
        case "numeric", "number":
            return .error(
                "dlt-placeholder",
                "\(written) is the DLT portal's notation; in MSG91's template the code is ##OTP##.", variable.place)
        case "var":
            return .error(
                "dlt-untyped",
                "\(written) is the DLT portal's notation without a type; there a code is {#numeric#}, in MSG91's template ##OTP##.",
                variable.place)
        case "alphanumeric", "url", "urlott", "cbn", "email":
            return .error(
                "dlt-type",
                "\(written) is the DLT portal's notation for another type than a code, which is {#numeric#} there and ##OTP## in MSG91's template.",
                variable.place)
        default:
            return .error(
                "dlt-type",
                "\(written) is no type that DLT knows: numeric, alphanumeric, url, urlott, cbn, email.", variable.place)
        }
    }

    private func lengthFinding(_ length: SMSLength) -> TemplateFinding {
        let unit = length.encoding == .gsm7 ? "septets" : "UTF-16 units"
        let capacity = length.encoding.capacity
        let text = "\(length.units) \(unit) in \(length.encoding.rawValue)"
        if length.segments == 1 { return .note("length", "\(text), one segment of \(capacity.alone).") }
        return .warning(
            "length",
            "\(text), \(length.segments) segments of \(capacity.joined): each message costs \(length.segments).")
    }
}

extension TemplateFinding {
    static func error(_ rule: String, _ message: String, _ place: TextPlace? = nil) -> TemplateFinding {
        TemplateFinding(severity: .error, rule: rule, message: message, place: place)
    }

    static func warning(_ rule: String, _ message: String, _ place: TextPlace? = nil) -> TemplateFinding {
        TemplateFinding(severity: .warning, rule: rule, message: message, place: place)
    }

    static func note(_ rule: String, _ message: String, _ place: TextPlace? = nil) -> TemplateFinding {
        TemplateFinding(severity: .note, rule: rule, message: message, place: place)
    }
}
