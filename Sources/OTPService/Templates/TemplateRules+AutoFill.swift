/// A line that begins, perhaps after blanks, with `@` and has a `#`: meant for browsers (WICG, origin-bound one-time codes).
struct WebOTPLine {
    /// Counted from 1.
    let number: Int
    let text: Substring
    /// Whether `#` and `##OTP##` stand where they should.
    let code: Bool
}

extension TemplateRules {
    /// The last line that looks as if it were for browsers.
    func webOTPLine(_ template: TemplateText) -> WebOTPLine? {
        lines(template).enumerated().reversed().first { _, line in
            line.drop { $0 == " " || $0 == "\t" }.hasPrefix("@") && line.contains("#")
        }.map { index, line in
            WebOTPLine(number: index + 1, text: line, code: line.contains("###OTP##"))
        }
    }

    func autoFillFindings(_ template: TemplateText, sample: String) -> [TemplateFinding] {
        let web = webOTPLine(template)
        return webOTPFindings(template, web) + retrieverFindings(template, web, sample: sample)
    }

    private func lines(_ template: TemplateText) -> [Substring] {
        template.text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    private func webOTPFindings(_ template: TemplateText, _ line: WebOTPLine?) -> [TemplateFinding] {
        guard let line else {
            return [
                .note(
                    "web-otp-missing", "Browsers cannot fill the code in: the last line would be @your.domain ###OTP##."
                )
            ]
        }
        let start = TextPlace(line: line.number, column: 1)
        var findings: [TemplateFinding] = []
        if line.number != lines(template).count {
            findings.append(.error("web-otp-not-last", "The line for browsers must be the last one.", start))
        }
        if line.number == 1 {
            findings.append(.error("web-otp-alone", "Text for people must stand above the line for browsers.", start))
        }
        guard line.text.hasPrefix("@") else {
            return findings + [.error("web-otp-indented", "Nothing may stand before the @.", start)]
        }
        return findings + formFindings(line, start)
    }

    /// `@domain #code`, exactly one blank, and perhaps one more and the host of the frame that asked.
    private func formFindings(_ line: WebOTPLine, _ start: TextPlace) -> [TemplateFinding] {
        let parts = line.text.split(separator: " ", omittingEmptySubsequences: false)
        let domain = parts.first.map { $0.dropFirst() } ?? ""
        var findings: [TemplateFinding] = []
        if !Self.isHost(domain) {
            findings.append(
                .error("web-otp-domain", "Between @ and the blank there must be a domain: @your.domain.", start))
        } else if domain != "localhost" {
            findings.append(
                .note("web-otp-allow-list", "Allow-list \(domain) on DLT: operators may take it for a link.", start))
        }
        if !line.code {
            findings.append(
                .error("web-otp-code", "The line for browsers must hold the code: @your.domain ###OTP##.", start))
        } else if !(2...3).contains(parts.count) || parts[1] != "###OTP##" {
            findings.append(
                .error(
                    "web-otp-form", "There must be exactly one blank, and nothing else: @your.domain ###OTP##.", start))
        } else if parts.count == 3, let frame = parts.last, !Self.isFrame(frame) {
            findings.append(
                .error("web-otp-frame", "After the code only the host of a frame may stand: @frame.domain.", start))
        }
        return findings
    }

    /// Chrome writes `@host`, the draft of the standard `%host`.
    private static func isFrame(_ text: Substring) -> Bool {
        (text.hasPrefix("@") || text.hasPrefix("%")) && isHost(text.dropFirst())
    }

    private func retrieverFindings(
        _ template: TemplateText, _ web: WebOTPLine?, sample: String
    ) -> [TemplateFinding] {
        let lines = lines(template)
        let found = lines.indices.last { index in
            let line = lines[index].trimmed
            return appHash.map { line == $0 || line.hasSuffix(" \($0)") } ?? Self.isAppHash(line)
        }
        guard let found else {
            if let appHash {
                let form = Self.isAppHashForm(Substring(appHash)) ? "" : ", which has 11 letters, digits, + or /,"
                return [.error("app-hash-missing", "The hash of the app\(form) is not in the text.")]
            }
            guard template.text.hasPrefix("<#>") else { return [] }
            return [
                .warning(
                    "app-hash-missing", "<#> announces the hash of an Android app, 11 characters, and there is none.")
            ]
        }
        let place = TextPlace(line: found + 1, column: 1)
        var findings: [TemplateFinding] = []
        let expected = web.map { $0.number - 2 } ?? lines.count - 1
        if found != expected {
            findings.append(
                .error(
                    "app-hash-place",
                    web == nil
                        ? "The hash of the Android app must be the last line."
                        : "The hash of the Android app must be on the line before the one for browsers.", place))
        }
        let bytes = sample.utf8.count
        if bytes > 140 {
            findings.append(
                .error(
                    "app-hash-length",
                    "Android reads the code only from messages of at most 140 bytes; this has \(bytes).", place))
        } else {
            findings.append(
                .note(
                    "app-hash", "The hash of an Android app; \(bytes) of 140 bytes. Debug builds have another.", place))
        }
        return findings
    }

    /// 11 characters of Base64.
    private static func isAppHashForm(_ text: Substring) -> Bool {
        text.utf8.count == 11
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "+"), UInt8(ascii: "/"): true
                default: false
                }
            }
    }

    /// Alone in a line, and not a word: with a capital or a sign behind a small letter.
    private static func isAppHash(_ line: Substring) -> Bool {
        guard isAppHashForm(line) else { return false }
        let rest = line.dropFirst()
        return line.contains(where: \.isLowercase) && rest.contains { !$0.isLowercase }
    }

    /// A name in ASCII with a dot in it, or `localhost`.
    private static func isHost(_ text: Substring) -> Bool {
        if text == "localhost" { return true }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        return labels.count > 1
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                    && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
            }
    }
}

extension Substring {
    /// Without blanks at both ends.
    fileprivate var trimmed: Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
