/// A page with `{{name}}` places; every value is escaped but the parts that are pages themselves.
struct HTMLTemplate: Sendable {
    private let text: String

    init(_ text: String) {
        self.text = text
    }

    /// Fills the places in one pass, so that a value cannot bring places of its own.
    func render(_ values: [String: String], parts: [String: String] = [:]) -> String {
        var page = ""
        var rest = Substring(text)
        while let start = rest.firstRange(of: "{{"), let end = rest[start.upperBound...].firstRange(of: "}}") {
            let name = String(rest[start.upperBound..<end.lowerBound])
            page += rest[..<start.lowerBound]
            page += parts[name] ?? Self.escape(values[name] ?? "")
            rest = rest[end.upperBound...]
        }
        return page + rest
    }

    /// Safe in element content and in quoted attributes.
    static func escape(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case _ where scalar.value < 0x20 && scalar != "\n" && scalar != "\t": escaped += "\u{FFFD}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
