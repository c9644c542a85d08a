import Foundation
import Identity
import Postgres

/// A page of the directory.
struct DirectoryPage: Sendable {
    var users: [User]
    var next: DirectoryCursor?
    /// How many users match, over all pages; a lower bound or an estimate if there are more than ten thousand.
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

    /// Up to here matches are counted one by one.
    static let countLimit = 10_000

    /// Reads a page. Throws `PostgresError`.
    func page(_ query: DirectoryQuery) async throws(PostgresError) -> DirectoryPage {
        let rows = try await rows(query)
        var users: [User] = []
        for row in rows.prefix(query.limit) { users.append(try User(row)) }
        let count = try await count(query)
        return DirectoryPage(
            users: users,
            next: rows.count > query.limit ? users.last.map { DirectoryCursor(order: query.order, last: $0) } : nil,
            total: count.total, totalIsExact: count.isExact, asOf: count.asOf)
    }

    /// Walks the index of (created_at, id) from the cursor on; one row more than asked for tells whether there is a
    /// next page.
    private func rows(_ query: DirectoryQuery) async throws(PostgresError) -> PostgresRows {
        let (comparison, direction) = query.order == .newestFirst ? ("<", "desc") : (">", "asc")
        let range = query.search?.phoneRange
        return try await postgres.read(
            """
            select \(unescaped: Self.columns) from users u
            where (\(query.status?.rawValue) is null and u.status <> 'deleted' or u.status = \(query.status?.rawValue))
                and (\(range?.from) is null
                    or u.phone >= \(range?.from) and u.phone < \(range?.to) and u.status <> 'deleted')
                and (\(query.search?.namePattern) is null or u.display_name ilike \(query.search?.namePattern))
                and (\(query.after?.createdAt) is null
                    or (u.created_at, u.id) \(unescaped: comparison) (\(query.after?.createdAt), \(query.after?.id)))
            order by u.created_at \(unescaped: direction), u.id \(unescaped: direction)
            limit \(query.limit + 1)
            """)
    }

    private func count(_ query: DirectoryQuery) async throws(PostgresError) -> (total: Int, isExact: Bool, asOf: Date) {
        let range = query.search?.phoneRange
        let rows = try await postgres.read(
            """
            select count(*), now(), (select reltuples::int8 from pg_class where oid = 'users'::regclass) from (
                select from users u
                where (\(query.status?.rawValue) is null and u.status <> 'deleted'
                        or u.status = \(query.status?.rawValue))
                    and (\(range?.from) is null
                        or u.phone >= \(range?.from) and u.phone < \(range?.to) and u.status <> 'deleted')
                    and (\(query.search?.namePattern) is null or u.display_name ilike \(query.search?.namePattern))
                limit \(Self.countLimit + 1)
            ) matches
            """)
        guard let row = rows.first else { throw PostgresError(.decoding, "no count") }
        let (count, asOf, estimate) = try row.decode((Int, Date, Int).self)
        if count <= Self.countLimit { return (count, true, asOf) }
        let isUnfiltered = query.search == nil && query.status == nil
        return (isUnfiltered ? max(count, estimate) : Self.countLimit, false, asOf)
    }

    /// One user, deleted ones too, with the live sessions, newest first; nil if there is none. Throws `PostgresError`.
    func entry(_ id: UserID) async throws(PostgresError) -> DirectoryEntry? {
        let rows = try await postgres.read(
            "select \(unescaped: Self.columns), now() from users u where u.id = \(id.uuid)")
        guard let row = rows.first else { return nil }
        let sessions = try await postgres.read(
            """
            select s.id, s.device_name, host(s.address), s.created_at, s.rotated_at, s.idle_expires_at
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
