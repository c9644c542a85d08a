import Foundation
import Identity
import Postgres
import Tokens

/// The end of sessions and access tokens in SQL.
struct RevocationStore: Sendable {
    let postgres: PostgresClient

    /// Lists a token and ends its session, in one statement. Throws `PostgresError`.
    ///
    /// The session's newest access token is listed with it: a refresh may have been under way.
    func endSession(of token: AccessToken) async throws(PostgresError) {
        _ = try await postgres.write(
            """
            with ended as (
                update sessions set ended_at = now(), end_reason = 'logout'
                where id = \(token.sessionID.uuid) and user_id = \(token.userID.uuid) and ended_at is null
                returning access_token_id, access_expires_at
            )
            insert into blacklisted_tokens (token_hash, expires_at)
            select \(token.tokenHash), \(token.expiresAt)
            union select \(unescaped: Self.hash), access_expires_at from ended
            on conflict do nothing
            """)
    }

    /// Ends all sessions of a token's user, in one statement; false if the token has been revoked. Throws
    /// `PostgresError`.
    ///
    /// The mark on the user also voids a session that a sign-in begins at this moment and this statement cannot see
    /// yet.
    func endAllSessions(of token: AccessToken) async throws(PostgresError) -> Bool {
        let rows = try await postgres.write(
            """
            with marked as (
                update users u set sign_in_not_before = now()
                from live_user(\(token.sessionID.uuid), \(token.issuedAt), \(token.tokenHash), \(token.expiresAt)) l
                where u.id = l.id and u.id = \(token.userID.uuid)
                returning u.id
            ), ended as (
                update sessions s set ended_at = now(), end_reason = 'logout_everywhere'
                from marked m where s.user_id = m.id and s.ended_at is null
                returning s.access_token_id, s.access_expires_at
            ), listed as (
                insert into blacklisted_tokens (token_hash, expires_at)
                select \(token.tokenHash), \(token.expiresAt) from marked
                union select \(unescaped: Self.hash), access_expires_at from ended where access_expires_at > now()
                on conflict do nothing
            )
            select id from marked
            """)
        return !rows.isEmpty
    }

    /// SHA-256(issuer ‖ 0x00 ‖ jti), as `AccessToken.tokenHash`.
    private static let hash = #"""
        sha256(convert_to('user-service', 'UTF8') || '\x00'::bytea || convert_to(access_token_id::text, 'UTF8'))
        """#
}
