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

    /// The user of a token, or nil if the token has been revoked. Throws `PostgresError`.
    ///
    /// The hot path: token, session and user in one statement on the reading lane.
    func user(of token: AccessToken) async throws(PostgresError) -> User? {
        let rows = try await postgres.read(
            """
            select \(unescaped: Self.columns)
            from live_user(\(token.sessionID.uuid), \(token.issuedAt), \(token.tokenHash), \(token.expiresAt)) u
            """)
        return try Self.user(rows, of: token)
    }

    /// Changes the profile of a token's user; nil if the token has been revoked. Throws `PostgresError`.
    func change(_ change: ProfileChange, of token: AccessToken) async throws(PostgresError) -> User? {
        let (name, locale, email) = (change.displayName, change.locale, change.email)
        let rows = try await postgres.write(
            """
            update users u set
                display_name = case when \(name.isKept) then u.display_name else \(name.value) end,
                locale = case when \(locale.isKept) then u.locale else \(locale.value) end,
                email = case when \(email.isKept) then u.email else \(email.value) end,
                updated_at = now()
            from live_user(\(token.sessionID.uuid), \(token.issuedAt), \(token.tokenHash), \(token.expiresAt)) l
            where u.id = l.id and u.id = \(token.userID.uuid)
            returning \(unescaped: Self.columns)
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
