/// The statements that one session has prepared, by their SQL.
///
/// Interpolation binds values, so a program has few distinct texts. Should one build texts without end, the texts past
/// the limit run unprepared instead of filling the server's memory.
struct PreparedStatements {
    static let limit = 256

    struct Name {
        let text: String
        let isNew: Bool
    }

    private var names: [String: String] = [:]
    private var made = 0

    /// The name to execute the text by; nil when it should run unprepared.
    mutating func name(for sql: String) -> Name? {
        if let text = names[sql] { return Name(text: text, isNew: false) }
        guard names.count < PreparedStatements.limit else { return nil }
        // A name is never used twice: a statement that failed to prepare may still exist on the server.
        made += 1
        let text = "s\(made)"
        names[sql] = text
        return Name(text: text, isNew: true)
    }

    mutating func forget(_ sql: String) { names[sql] = nil }
}
