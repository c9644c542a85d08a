import HTTPServer

/// What a list of users is narrowed by, as the console's own addresses carry it.
///
/// A search is often a phone or a name, which do not belong into addresses: those are kept in histories and logs. So the
/// search text travels sealed, and the address can still be kept, reloaded and gone back to.
struct UserFilter: Sendable {
    var search: String?
    var status: String?
    var sort: String?
    /// The cursors of the pages before this one, the last of them being this page's.
    var trail: [String] = []

    /// So many pages can be gone back; beyond that the first page is one click away.
    static let longestTrail = 12

    /// Reads the query of the page. Throws `invalid-request`.
    init(_ fields: QueryFields, _ sealer: Sealer) throws(Problem) {
        search = try fields.parsed("q", "a search made here") { sealer.open($0, as: String.self) }
        status = fields.string("status")
        sort = fields.string("sort")
        trail =
            try fields.parsed("at", "a place in the list") { text in
                let cursors = text.split(separator: "~").map(String.init)
                return cursors.count <= Self.longestTrail ? cursors : nil
            } ?? []
    }

    /// Takes what the form of the page holds.
    init(_ form: FormFields) {
        search = form["search"].flatMap { $0.isEmpty ? nil : String($0.prefix(200)) }
        status = form["status"].flatMap { $0.isEmpty ? nil : $0 }
        sort = form["sort"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The address of the page.
    func link(_ path: String, _ sealer: Sealer) throws -> String {
        PercentText.link(
            path,
            [
                ("q", try search.map(sealer.seal)), ("status", status), ("sort", sort),
                ("at", trail.isEmpty ? nil : trail.joined(separator: "~")),
            ])
    }

    /// The page after this one.
    func next(_ cursor: String) -> UserFilter {
        var filter = self
        filter.trail = Array((trail + [cursor]).suffix(Self.longestTrail))
        return filter
    }

    /// The page before this one; the first page if how this one was reached is no longer known.
    var previous: UserFilter? {
        guard !trail.isEmpty else { return nil }
        var filter = self
        filter.trail.removeLast()
        return filter
    }

    var isNarrowed: Bool { search != nil || status != nil }

    /// The same as a question to user-service. Throws `invalid-request`.
    func query() throws(Problem) -> DirectoryQuery {
        try DirectoryQuery(
            search: search, status: status, sort: sort, cursor: trail.last, limit: 50)
    }
}
