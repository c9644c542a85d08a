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
    func endSession(of token: AccessToken, reason: EndReason) async throws(PostgresError) {
        _ = try await postgres.write(
            """
            with ended as (
                update sessions set ended_at = now(), end_reason = \(reason.rawValue)
                where id = \(token.sessionID.uuid) and user_id = \(token.userID.uuid) and ended_at is null
                returning id, user_id, access_token_id, access_expires_at
            ), presented as (
                insert into blacklisted_tokens (token_hash, expires_at)
                values (\(token.tokenHash), \(token.expiresAt))
                on conflict do nothing
            ), revoked as (
                insert into changes (kind, user_id, session_id, token_hash, expires_at)
                select 'token-revoked', \(token.userID.uuid), \(token.sessionID.uuid), \(token.tokenHash),
                    \(token.expiresAt)
                where not exists (
                    select from blacklisted_tokens
                    where token_hash = \(token.tokenHash) and expires_at = \(token.expiresAt))
            ), \(unescaped: Self.tellOfEnded)
            select
            """)
    }

    /// Ends all sessions of a token's user, in one statement; false if the token has been revoked. Throws
    /// `PostgresError`.
    ///
    /// One mark on the user, which also voids a session that a sign-in begins at this moment and this statement cannot
    /// see yet; the token itself is listed.
    func endAllSessions(of token: AccessToken) async throws(PostgresError) -> Bool {
        let rows = try await postgres.write(
            """
            with caller as materialized (
                select u.id
                from live_user(\(token.sessionID.uuid), \(token.issuedAt), \(token.tokenHash), \(token.expiresAt)) u
                where u.id = \(token.userID.uuid)
            ), listed as (
                insert into blacklisted_tokens (token_hash, expires_at)
                select \(token.tokenHash), \(token.expiresAt) from caller
                on conflict do nothing
                returning token_hash, expires_at
            ), revoked as (
                insert into changes (kind, user_id, session_id, token_hash, expires_at)
                select 'token-revoked', \(token.userID.uuid), \(token.sessionID.uuid), token_hash, expires_at
                from listed
            )
            select end_sessions_of_user(id, 'logout_everywhere') from caller
            """)
        return !rows.isEmpty
    }

    /// Ends the session of a refresh token that is or was one of it. Throws `PostgresError`.
    func endSession(of token: RefreshToken) async throws(PostgresError) {
        _ = try await postgres.write(
            """
            with ended as (
                update sessions set ended_at = now(), end_reason = 'revoked'
                where id = \(token.sessionID.uuid) and ended_at is null
                    and (\(token.isGenuine) and \(token.generation) <= generation
                        or refresh_hash = \(token.hash) or previous_refresh_hash = \(token.hash))
                returning id, user_id, access_token_id, access_expires_at
            ), \(unescaped: Self.tellOfEnded)
            select
            """)
    }

    /// What a statement does for each row of its `ended`: lists the newest access token and tells the feed.
    static let tellOfEnded = """
        newest as (
            insert into blacklisted_tokens (token_hash, expires_at)
            select access_token_hash(access_token_id), access_expires_at from ended where access_expires_at > now()
            on conflict do nothing
        ), told as (
            insert into changes (kind, user_id, session_id, expires_at)
            select 'session-ended', user_id, id, access_expires_at from ended
        )
        """
}
