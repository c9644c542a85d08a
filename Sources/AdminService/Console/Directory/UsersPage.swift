import Caching
import HTTPServer
import HTTPTypes
import Hummingbird
import Identity

/// `GET /users`: the list, with search and filters. `POST /users` makes an address of what the form holds.
struct UsersPage: Sendable {
    let frame: PageFrame
    let read: ReadDirectory
    let defaultRegion: String?
    let byPhone: SearchByPhone
    let patience: Duration
    let sealer: Sealer

    struct Choice: Sendable {
        let value: String
        let title: String
        let isChosen: Bool
    }

    struct View: Sendable {
        let search: String
        /// What the operator may search by.
        let sought: String
        let example: String
        let statuses: [Choice]
        let sorts: [Choice]
        let isNarrowed: Bool
        let count: String
        /// The rows of the table, as HTML.
        let body: String
        let isEmpty: Bool
        let first: String?
        let previous: String?
        let next: String?
        let asOf: Wording.Moment?
        /// Why there is no list; the form stays.
        let missing: String?
    }

    func add(to routes: ConsoleRoutes) {
        routes.page("/users") { request, context in
            let filter = try UserFilter(request.query, sealer)
            let query = try filter.query(defaultRegion: defaultRegion)
            let refresh = Freshness.isBypassed(by: request)
            try await byPhone.check(query, context.asOperator, request)
            do {
                let answer = try await read.page(query, refresh: refresh, trace: context.trace)
                let page = try answer.value.table()
                let notice = ConsoleNotices.stale(answer, "user-service", patience)
                return try frame.page(
                    "users", title: "Users", section: .users, notice: notice,
                    try view(filter, page, nil, context), request, context)
            } catch let error as UpstreamError {
                let (missing, status) = Self.missing(error)
                return try frame.page(
                    "users", title: "Users", section: .users, status: status,
                    try view(filter, nil, missing, context), request, context)
            }
        }
        routes.action("/users", atLeast: .viewer) { form, _, _ in
            .seeOther(try UserFilter(form).link("/users", sealer))
        }
    }

    private static func missing(_ error: UpstreamError) -> (String, HTTPResponse.Status) {
        switch error {
        case .refused(_, field: "search"):
            (
                "Search for the beginning of a phone number, +9198…, or for at least three letters of a name.",
                .badRequest
            )
        case .refused, .notFound: ("That place in the list is no longer there. Begin at the first page.", .badRequest)
        case .unavailable, .unreadable:
            (
                "user-service gives no answer, or not in time, and this page is not remembered. The first search of its kind may "
                    + "have to read from the disk: what it has read is there for the next. Try again in a moment.",
                .serviceUnavailable
            )
        }
    }

    private func view(
        _ filter: UserFilter, _ page: UsersTable?, _ missing: String?, _ context: ConsoleContext
    ) throws -> View {
        let mayKnowPhones = context.admin.role >= .support
        return View(
            search: filter.search ?? "", sought: mayKnowPhones ? "Phone or name" : "Name",
            example: mayKnowPhones ? "+9198… or a part of a name" : "A part of a name",
            statuses: Self.choices(
                [("", "Any status"), ("active", "Active"), ("suspended", "Suspended"), ("deleted", "Deleted")],
                filter.status),
            sorts: Self.choices(
                [
                    ("", "Newest first"), ("created_at", "Oldest first"), ("-last_sign_in_at", "Latest sign-in first"),
                    ("last_sign_in_at", "Earliest sign-in first"),
                ], filter.sort),
            isNarrowed: filter.isNarrowed, count: page?.count ?? "", body: page?.body ?? "",
            isEmpty: page?.isEmpty ?? false,
            first: filter.trail.isEmpty ? nil : try filter.at(Trail()).link("/users", sealer),
            previous: try filter.trail.previous.map { try filter.at($0).link("/users", sealer) },
            next: try (page?.nextCursor).map { try filter.at(filter.trail.appending($0)).link("/users", sealer) },
            asOf: page?.asOf, missing: missing)
    }

    static func choices(_ all: [(String, String)], _ chosen: String?) -> [Choice] {
        all.map { Choice(value: $0.0, title: $0.1, isChosen: $0.0 == chosen ?? "") }
    }
}

/// The sentences above a page about where its content comes from.
enum ConsoleNotices {
    /// A word about remembered content that could not be read anew.
    ///
    /// - Parameter patience: what is stale for less than that is just being read anew.
    static func stale<Value>(_ part: CachedValue<Value>, _ service: String, _ patience: Duration) -> Notice? {
        guard part.isStale, part.age > patience else { return nil }
        return .warning(
            "\(service) gives no answer at the moment. What you see is \(Wording.seconds(part.age / .seconds(1))) old.")
    }
}
