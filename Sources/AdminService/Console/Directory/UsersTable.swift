import Identity

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A page of users as the console shows it, the same for all operators: read from the answer of the API, and kept with it.
struct UsersTable: Sendable {
    /// The rows as HTML: a template would take as long for them as everything else takes.
    let body: String
    let isEmpty: Bool
    /// How many users there are in all, in words.
    let count: String
    let nextCursor: String?
    let asOf: Wording.Moment

    /// Throws `DecodingError`.
    init(json: String) throws {
        let page = try JSONDecoder().decode(DirectoryPage<ShownUser>.self, from: Data(json.utf8))
        var markup = Markup()
        for user in page.users { Self.write(user, to: &markup) }
        body = markup.html
        isEmpty = page.users.isEmpty
        let number = Wording.number(page.total)
        let noun = page.total == 1 ? "user" : "users"
        count = page.totalIsExact ? "\(number) \(noun)" : "at least \(number) \(noun)"
        nextCursor = page.nextCursor
        asOf = Wording.moment(page.asOf)
    }

    private static func write(_ user: ShownUser, to markup: inout Markup) {
        markup.raw("<tr><th scope=\"row\"><a class=\"person\" href=\"")
        markup.text("/users/\(user.id)")
        markup.raw("\"><span class=\"avatar \(user.colour)\" aria-hidden=\"true\">")
        markup.text(user.initials)
        markup.raw("</span>")
        markup.text(user.displayName ?? "No name")
        markup.raw("</a></th>")
        markup.cell("Phone") { $0.element("code", user.phone ?? "deleted") }
        markup.cell("Status") { $0.element("span", class: "badge \(ShownUser.tone(user.status))", user.status) }
        markup.cell("Created") { $0.time(Wording.moment(user.createdAt)) }
        markup.cell("Last sign-in") { cell in
            if let moment = user.lastSignInAt {
                cell.time(Wording.moment(moment))
            } else {
                cell.element("span", class: "quiet", "never")
            }
        }
        markup.raw("</tr>\n")
    }
}
