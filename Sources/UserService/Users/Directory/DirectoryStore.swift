import Foundation
import Identity
import Postgres

/// A page of the directory.
struct DirectoryPage: Sendable {
    var users: [User]
    /// Where the next page begins. There may be one although this page is short.
    var next: DirectoryPosition?
    /// How many users match, over all pages; a lower bound if it is not exact.
    var total: Int
    var totalIsExact: Bool
    var asOf: Date
}

/// One session in the view of an administrator.
struct SessionSummary: Sendable, Hashable {
    let id: SessionID
    let deviceName: String?
    /// From where it was begun or last refreshed, if that was told.
    let address: String?
    let createdAt: Date
    let refreshedAt: Date
    let expiresAt: Date
}

/// One user in the view of an administrator.
struct DirectoryEntry: Sendable {
    let user: User
    /// The live ones, newest first.
    let sessions: [SessionSummary]
    let asOf: Date
}

/// The directory of users in SQL.
struct DirectoryStore: Sendable {
    let postgres: PostgresClient

    /// Reads a page. Throws `PostgresError`.
    ///
    /// One statement: `list_directory` in the schema tells how each question is answered within a bound.
    func page(_ query: DirectoryQuery) async throws(PostgresError) -> DirectoryPage {
        let (search, range, order) = (query.search, query.search?.range, query.order)
        let rows = try await postgres.read(
            """
            select \(unescaped: Self.columns), u.total, u.total_is_exact, u.next_key, u.next_id, now()
            from list_directory(\(search?.kind), \(range?.from), \(range?.to), \(search?.pattern),
                \(query.status?.rawValue), \(order.isBySignIn), \(order.isDescending), \(query.after?.key), \(query.after?.id),
                \(Int32(clamping: query.limit))) u
            """)
        guard let summary = rows.last else { throw PostgresError(.decoding, "no summary") }
        var users: [User] = []
        for row in rows.dropLast() { users.append(try User(row)) }
        let first = User.columnCount
        let nextKey: Date? = try summary.decode(column: first + 2)
        let nextID: UUID? = try summary.decode(column: first + 3)
        var next: DirectoryPosition?
        if let nextKey, let nextID { next = DirectoryPosition(key: nextKey, id: nextID) }
        return DirectoryPage(
            users: users, next: next, total: try summary.decode(column: first),
            totalIsExact: try summary.decode(column: first + 1), asOf: try summary.decode(column: first + 4))
    }

    /// One user, deleted ones too, with the live sessions, newest first; nil if there is none. Throws `PostgresError`.
    func entry(_ id: UserID) async throws(PostgresError) -> DirectoryEntry? {
        let rows = try await postgres.read(
            "select \(unescaped: Self.columns), now() from users u where u.id = \(id.uuid)")
        guard let row = rows.first else { return nil }
        let sessions = try await postgres.read(
            """
            select s.id, s.device_name, abbrev(s.address), s.created_at, s.rotated_at, s.idle_expires_at
            from sessions s join users u on u.id = s.user_id
            where s.user_id = \(id.uuid) and s.ended_at is null and s.idle_expires_at > now()
                and (u.sign_in_not_before is null or u.sign_in_not_before < s.created_at)
            order by s.created_at desc limit 100
            """)
        var summaries: [SessionSummary] = []
        for session in sessions {
            let (id, deviceName, address, createdAt, refreshedAt, expiresAt) = try session.decode(
                (UUID, String?, String?, Date, Date, Date).self)
            summaries.append(
                SessionSummary(
                    id: SessionID(uuid: id), deviceName: deviceName, address: address, createdAt: createdAt,
                    refreshedAt: refreshedAt, expiresAt: expiresAt))
        }
        return DirectoryEntry(user: try User(row), sessions: summaries, asOf: try row.decode(column: User.columnCount))
    }

    private static let columns = User.columns(of: "u")
}
