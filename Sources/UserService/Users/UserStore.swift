import Foundation
import Identity
import Postgres
import Tokens

/// What the database knows about the user of an access token.
///
/// Whether the token is still good is judged by `live_user` in the schema, within the statement that reads or acts:
/// there is no moment between the check and the act.
struct UserStore: Sendable {
    let postgres: PostgresClient
    private let profiles: BatchedRead<AccessToken, User?>

    init(postgres: PostgresClient) {
        self.postgres = postgres
        profiles = BatchedRead { (tokens) async throws(PostgresError) in try await Self.users(of: tokens, postgres) }
    }

    /// The user of a token, or nil if the token has been revoked. Throws `PostgresError`.
    ///
    /// The hot path: token, session and user in one statement on the reading lane, and under load those of many requests, at
    /// a sixth of what a statement for each costs the database.
    func user(of token: AccessToken) async throws(PostgresError) -> User? { try await profiles.read(token) }

    private static func users(of tokens: [AccessToken], _ postgres: PostgresClient) async throws(PostgresError)
        -> [User?]
    {
        if tokens.count == 1, let token = tokens.first {
            let rows = try await postgres.read(
                """
                select \(unescaped: columns)
                from live_user(\(token.sessionID.uuid), \(token.issuedAt), \(token.tokenHash), \(token.expiresAt)) u
                """)
            return [try user(rows, of: token)]
        }
        // "offset 0" keeps the planner from joining all tokens with all users when there are few: each is looked up by key.
        let rows = try await postgres.read(
            """
            select \(unescaped: columns), t.place
            from unnest(\(tokens.map { $0.sessionID.uuid }), \(tokens.map { $0.issuedAt }), \(tokens.map { $0.tokenHash }),
                \(tokens.map { $0.expiresAt })) with ordinality t (session_id, issued_at, token_hash, expires_at, place)
            cross join lateral (
                select * from live_user(t.session_id, t.issued_at, t.token_hash, t.expires_at) offset 0) u
            """)
        var users = [User?](repeating: nil, count: tokens.count)
        for row in rows {
            let place: Int = try row.decode(column: User.columnCount)
            guard tokens.indices.contains(place - 1) else { throw PostgresError(.decoding, "no such place") }
            let user = try User(row)
            users[place - 1] = user.id == tokens[place - 1].userID ? user : nil
        }
        return users
    }

    /// Changes the profile of a token's user; nil if the token has been revoked. Throws `PostgresError`.
    ///
    /// Two changes of different members at once are both kept: each sets its own and leaves the others as it finds them when
    /// it has the row. What ends the user meanwhile is judged again then, too: nothing is written to who has left.
    func change(_ change: ProfileChange, of token: AccessToken) async throws(PostgresError) -> User? {
        let (name, locale, email) = (change.displayName, change.locale, change.email)
        let rows = try await postgres.write(
            """
            with changed as (
                update users u set
                    display_name = case when \(name.isKept) then u.display_name else \(name.value) end,
                    locale = case when \(locale.isKept) then u.locale else \(locale.value) end,
                    email = case when \(email.isKept) then u.email else \(email.value) end,
                    updated_at = now()
                from live_user(\(token.sessionID.uuid), \(token.issuedAt), \(token.tokenHash), \(token.expiresAt)) l
                where u.id = l.id and u.id = \(token.userID.uuid) and u.status = 'active'
                    and (u.sign_in_not_before is null or u.sign_in_not_before < \(token.issuedAt))
                returning u.*
            ), told as (
                insert into changes (kind, user_id) select 'user-changed', id from changed
            )
            select \(unescaped: Self.columns) from changed u
            """)
        return try Self.user(rows, of: token)
    }

    private static let columns = User.columns(of: "u")

    /// The session belongs to the user whom the token names, or the token was not made by us.
    private static func user(_ rows: PostgresRows, of token: AccessToken) throws(PostgresError) -> User? {
        guard let row = rows.first else { return nil }
        let user = try User(row)
        return user.id == token.userID ? user : nil
    }
}
