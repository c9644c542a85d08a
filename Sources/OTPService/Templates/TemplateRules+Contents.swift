extension TemplateRules {
    /// Characters that GSM-7 does not have, each with its place, at most ten of them; and control characters.
    func characterFindings(_ template: TemplateText) -> [TemplateFinding] {
        var findings: [TemplateFinding] = []
        var place = TextPlace(line: 1, column: 1)
        var foreign = 0
        for scalar in template.text.unicodeScalars {
            defer { place.pass(scalar) }
            if scalar.value < 0x20, scalar != "\n" {
                findings.append(.error("control-character", "\(Self.code(scalar)) is a control character.", place))
            } else if SMSLength.septets(scalar) == nil {
                foreign += 1
                guard foreign <= 10 else { continue }
                let advice = Self.replacements[scalar].map { " Write \($0) for it." } ?? ""
                findings.append(
                    .warning(
                        "character",
                        "\(scalar) (\(Self.code(scalar))) is not in GSM-7: a segment then holds 70 characters, not 160.\(advice)",
                        place))
            }
        }
        if foreign > 10 {
            findings.append(.warning("character", "\(foreign - 10) more characters are not in GSM-7."))
        }
        return findings
    }

    private static func code(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    private static let replacements: [Unicode.Scalar: String] = [
        "\u{2018}": "'", "\u{2019}": "'", "\u{201C}": "\"", "\u{201D}": "\"", "\u{2013}": "-", "\u{2014}": "-",
        "\u{2026}": "...", "\u{00A0}": "a blank", "\u{20B9}": "Rs.", "`": "'",
    ]

    /// Links and numbers to call, which operators compare with what is allow-listed.
    func linkFindings(_ template: TemplateText) -> [TemplateFinding] {
        var findings: [TemplateFinding] = []
        let lines = template.text.split(separator: "\n", omittingEmptySubsequences: false)
        let web = webOTPLine(template)?.number
        for (index, line) in lines.enumerated() where index + 1 != web {
            for match in line.matches(of: Self.link) {
                findings.append(
                    .warning(
                        "link", "\(match.output) must be allow-listed on DLT.",
                        Self.place(match.startIndex, line, index)))
            }
            for match in line.matches(of: Self.callBack) where match.output.count(where: \.isNumber) >= 7 {
                findings.append(
                    .warning(
                        "phone-number", "\(match.output) must be allow-listed on DLT.",
                        Self.place(match.startIndex, line, index)))
            }
        }
        return findings
    }

    private static func place(_ position: Substring.Index, _ line: Substring, _ index: Int) -> TextPlace {
        TextPlace(line: index + 1, column: line[..<position].unicodeScalars.count + 1)
    }

    /// A scheme, or a name with one of the endings that links in messages have.
    private static var link: Regex<Substring> {
        /(?i)(?:https?:\/\/|www\.)[^\s]+|\b(?:[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?\.)+(?:com|in|net|org|io|co|me|ly|app|dev|info|biz|gl|link|page|apk)\b(?:\/[^\s]*)?/
    }

    /// Digits with blanks, hyphens and brackets between them.
    private static var callBack: Regex<Substring> {
        /\+?[0-9](?:[ \-()]{0,2}[0-9]){6,14}/
    }
}
