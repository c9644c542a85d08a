import HTTPServer

/// What an operator asks of the list of users.
struct DirectoryQuery: Hashable, Sendable {
    enum Status: String, CaseIterable { case active, suspended, deleted }

    enum Sort: String, CaseIterable {
        case newest = "-created_at"
        case oldest = "created_at"
        case latestSignIn = "-last_sign_in_at"
        case earliestSignIn = "last_sign_in_at"
    }

    static let limits = 1...200
    /// In Unicode scalars, as user-service and OpenAPI count.
    static let longestSearch = 200
    static let longestCursor = 128

    let search: String?
    let status: Status?
    let sort: Sort
    let cursor: String?
    let limit: Int

    /// Reads the parameters. Throws `invalid-request`.
    init(_ fields: QueryFields, defaultRegion: String?) throws(Problem) {
        try self.init(
            search: fields.string("search"), status: fields.string("status"), sort: fields.string("sort"),
            cursor: fields.string("cursor"), limit: fields.integer("limit", default: 50, in: Self.limits),
            defaultRegion: defaultRegion)
    }

    /// Takes texts that are not judged yet. Throws `invalid-request`.
    init(
        search: String?, status: String?, sort: String?, cursor: String?, limit: Int, defaultRegion: String?
    ) throws(Problem) {
        self.search = try Self.parsed("search", search, "at most \(Self.longestSearch) characters") { text in
            guard text.unicodeScalars.count <= Self.longestSearch else { return nil }
            return PhoneSearch.text(text, defaultRegion: defaultRegion)
        }
        self.status = try Self.parsed("status", status, Self.choices(Status.self), Status.init)
        self.sort = try Self.parsed("sort", sort, Self.choices(Sort.self), Sort.init) ?? .newest
        self.cursor = try Self.parsed("cursor", cursor, "a next_cursor of an earlier answer") { text in
            text.utf8.count <= Self.longestCursor ? text : nil
        }
        self.limit = limit
    }

    private static func parsed<Value>(
        _ name: String, _ text: String?, _ expected: String, _ parse: (String) -> Value?
    ) throws(Problem) -> Value? {
        guard let text else { return nil }
        guard let value = parse(text) else { throw .invalid(name, "must be \(expected)") }
        return value
    }

    private static func choices<Choice: RawRepresentable<String> & CaseIterable>(_: Choice.Type) -> String {
        "one of " + Choice.allCases.map(\.rawValue).joined(separator: ", ")
    }

    /// The same for user-service.
    var fields: [(String, String)] {
        var fields = [("sort", sort.rawValue), ("limit", String(limit))]
        if let search { fields.append(("search", search)) }
        if let status { fields.append(("status", status.rawValue)) }
        if let cursor { fields.append(("cursor", cursor)) }
        return fields
    }
}
