/// Figures by something else than days: a short table with a bar in each row.
struct Breakdown: Sendable {
    struct Row: Sendable {
        let name: String
        /// The length of the bar, 0 to 100.
        let share: String
        let cells: [String]
    }

    let id: String
    let title: String
    /// What the rows are, and what the cells say.
    let subject: String
    let headings: [String]
    let rows: [Row]
    let isEmpty: Bool
    let nothing: String
    /// What has to be known about the figures.
    let note: String?

    /// - Parameters:
    ///   - items: a name, the figure that the bar shows, and what the cells say.
    ///   - limit: at most so many rows.
    ///   - nothing: what is said if there are none.
    ///   - note: what has to be known about the figures.
    init(
        id: String, title: String, subject: String, headings: [String],
        items: [(name: String, value: Int, cells: [String])], limit: Int = 8, nothing: String,
        note: String? = nil
    ) {
        self.id = id
        self.title = title
        self.subject = subject
        self.headings = headings
        self.nothing = nothing
        self.note = note
        let highest = Double(max(items.map(\.value).max() ?? 0, 1))
        rows = items.prefix(limit).map { item in
            Row(name: item.name, share: Plot.text(Double(max(item.value, 0)) / highest * 100), cells: item.cells)
        }
        isEmpty = rows.isEmpty
    }
}
