/// HTML that is written here and not by a template: for parts with thousands of pieces, each of which would cost a template some
/// microseconds. What comes from outside goes through ``text(_:)``.
struct Markup {
    private(set) var html = ""

    /// Adds markup as it is.
    mutating func raw(_ markup: String) { html += markup }

    /// Adds a text, its special characters escaped as in templates.
    mutating func text(_ text: String) {
        guard text.utf8.contains(where: Self.isSpecial) else {
            html += text
            return
        }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": html += "&amp;"
            case "<": html += "&lt;"
            case ">": html += "&gt;"
            case "\"": html += "&quot;"
            case "'": html += "&#39;"
            default: html.unicodeScalars.append(scalar)
            }
        }
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "'"): true
        default: false
        }
    }
}
