/// Writes a table as comma-separated values (RFC 4180), safe to be opened in a spreadsheet.
///
/// A cell that begins with a character by which spreadsheets know a formula gets an apostrophe before it (OWASP, CSV
/// injection); they show such a cell as text. A masked phone begins with one too.
struct CSVText: Sendable {
    private(set) var text: String

    init(header: [String]) {
        text = ""
        add(header)
    }

    /// Adds a row; nil is an empty cell.
    mutating func add(_ cells: [String?]) {
        text += cells.map { Self.cell($0 ?? "") }.joined(separator: ",")
        text += "\r\n"
    }

    /// A cell in quotes if it needs them.
    static func cell(_ value: String) -> String {
        var value = value
        if let first = value.unicodeScalars.first, Self.isDangerous(first) { value = "'" + value }
        let needsQuotes = value.unicodeScalars.contains { [",", "\"", "\r", "\n", "\t", "'"].contains($0) }
        guard needsQuotes else { return value }
        var quoted = "\""
        for scalar in value.unicodeScalars {
            if scalar == "\"" { quoted += "\"" }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }

    /// The ASCII signs, their full-width forms, and the characters that programs strip before they look for them.
    private static func isDangerous(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "=", "+", "-", "@", "\t", "\r", "\n", "\0", "|", "%", "＝", "＋", "－", "＠": true
        default: false
        }
    }
}
