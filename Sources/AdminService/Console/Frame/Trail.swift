import HTTPServer

/// How a reader came to a page of a list that only knows what comes next: the cursors of the pages from the second one on,
/// the last of them being this page's.
struct Trail: Sendable {
    /// So many pages can be gone back; beyond that the first page is one click away.
    static let longest = 12

    private var cursors: [String] = []

    /// The first page.
    init() {}

    /// Reads the parameter `at`. Throws `invalid-request`.
    init(_ fields: QueryFields) throws(Problem) {
        cursors =
            try fields.parsed("at", "a place in the list") { text in
                let cursors = text.split(separator: "~").map(String.init)
                return cursors.count <= Self.longest ? cursors : nil
            } ?? []
    }

    var isEmpty: Bool { cursors.isEmpty }
    var last: String? { cursors.last }

    /// The parameter; nil on the first page.
    var text: String? { cursors.isEmpty ? nil : cursors.joined(separator: "~") }

    func appending(_ cursor: String) -> Trail {
        var trail = self
        trail.cursors = Array((cursors + [cursor]).suffix(Self.longest))
        return trail
    }

    /// The page before this one; nil on the first.
    var previous: Trail? {
        guard !cursors.isEmpty else { return nil }
        var trail = self
        trail.cursors.removeLast()
        return trail
    }
}
