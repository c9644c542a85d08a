import HTTPServer

/// What a list of users is narrowed by, as the console's own addresses carry it.
///
/// A search is often a phone or a name, which do not belong into addresses: those are kept in histories and logs. So the
/// search text travels sealed, and the address can still be kept, reloaded and gone back to.
struct UserFilter: Sendable {
    var search: String?
    var status: String?
    var sort: String?
    var trail = Trail()

    /// Reads the query of the page. Throws `invalid-request`.
    init(_ fields: QueryFields, _ sealer: Sealer) throws(Problem) {
        search = try fields.parsed("q", "a search made here") { sealer.open($0, as: String.self) }
        status = fields.string("status")
        sort = fields.string("sort")
        trail = try Trail(fields)
    }

    /// Takes what the form of the page holds.
    init(_ form: FormFields) {
        search = form["search"].flatMap { Self.shortened($0) }
        status = form["status"].flatMap { $0.isEmpty ? nil : $0 }
        sort = form["sort"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// As much of what was typed as is searched for; nil if nothing was.
    private static func shortened(_ text: String) -> String? {
        let shortened = String(text.unicodeScalars.prefix(DirectoryQuery.longestSearch))
        return shortened.isEmpty ? nil : shortened
    }

    /// The address of the page.
    func link(_ path: String, _ sealer: Sealer) throws -> String {
        PercentText.link(
            path,
            [
                ("q", try search.map(sealer.seal)), ("status", status), ("sort", sort),
                ("at", trail.text),
            ])
    }

    /// The same list at another place.
    func at(_ trail: Trail) -> UserFilter {
        var filter = self
        filter.trail = trail
        return filter
    }

    var isNarrowed: Bool { search != nil || status != nil }

    /// The same as a question to user-service. Throws `invalid-request`.
    func query(defaultRegion: String?) throws(Problem) -> DirectoryQuery {
        try DirectoryQuery(
            search: search, status: status, sort: sort, cursor: trail.last, limit: 50, defaultRegion: defaultRegion)
    }
}
