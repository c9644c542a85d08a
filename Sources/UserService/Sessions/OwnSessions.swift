import Foundation
import Identity
import Postgres
import Tokens

/// One session in the view of its owner.
struct OwnSession: Sendable, Hashable {
    let id: SessionID
    let deviceName: String?
    /// `203.0.113.9` or `2001:db8:1:2::/64`: where it was begun or last refreshed from.
    let address: String?
    let createdAt: Date
    /// When it was begun or last refreshed.
    let lastUsedAt: Date
    /// When it is over unless it is refreshed.
    let expiresAt: Date
}

/// What became of a wish to end a session.
enum SessionEnd: Sendable, Hashable {
    /// It is over, since now or since before.
    case ended
    /// The user has no such session.
    case unknown
    /// The token that asks has been revoked.
    case refused
}

/// A user's own sessions.
struct OwnSessions: Sendable {
    let postgres: PostgresClient
    let signal: ChangeSignal

    /// The live sessions of a token's user, newest first; nil if the token has been revoked. Throws `PostgresError`.
    func list(for token: AccessToken) async throws(PostgresError) -> [OwnSession]? {
        let rows = try await postgres.read(
            """
            select s.id, s.device_name, abbrev(s.address), s.created_at, s.rotated_at, s.idle_expires_at
            from live_user(\(token.sessionID.uuid), \(token.issuedAt), \(token.tokenHash), \(token.expiresAt)) u
            left join sessions s on s.user_id = u.id and s.ended_at is null and s.idle_expires_at > now()
                and (u.sign_in_not_before is null or u.sign_in_not_before < s.created_at)
            where u.id = \(token.userID.uuid)
            order by s.created_at desc limit 100
            """)
        if rows.isEmpty { return nil }
        var sessions: [OwnSession] = []
        for row in rows {
            guard let id: UUID = try row.decode(column: 0) else { continue }
            sessions.append(
                OwnSession(
                    id: SessionID(uuid: id), deviceName: try row.decode(column: 1), address: try row.decode(column: 2),
                    createdAt: try row.decode(column: 3), lastUsedAt: try row.decode(column: 4),
                    expiresAt: try row.decode(column: 5)))
        }
        return sessions
    }

    /// Ends a session of a token's user, in one statement. Throws `PostgresError`.
    func end(_ id: SessionID, for token: AccessToken) async throws(PostgresError) -> SessionEnd {
        let rows = try await postgres.write(
            """
            with caller as (
                select u.id
                from live_user(\(token.sessionID.uuid), \(token.issuedAt), \(token.tokenHash), \(token.expiresAt)) u
                where u.id = \(token.userID.uuid)
            ), target as (
                select s.id from sessions s join caller c on s.user_id = c.id where s.id = \(id.uuid)
            ), ended as (
                update sessions s set ended_at = now(), end_reason = 'revoked'
                from target t where s.id = t.id and s.ended_at is null
                returning s.id, s.user_id, s.access_token_id, s.access_expires_at
            ), \(unescaped: RevocationStore.tellOfEnded)
            select exists (select from caller), exists (select from target)
            """)
        guard let row = rows.first else { throw PostgresError(.decoding, "no row") }
        let (isLive, isKnown) = try row.decode((Bool, Bool).self)
        if isKnown { signal.give() }
        return !isLive ? .refused : isKnown ? .ended : .unknown
    }

    /// Ends all sessions of a token's user but its own; false if the token has been revoked. Throws `PostgresError`.
    ///
    /// The user's row is locked first, so that a sign-in under way comes to its end, and its session with it.
    func endOthers(for token: AccessToken) async throws(PostgresError) -> Bool {
        let rows = try await postgres.write(
            """
            with caller as materialized (
                select u.id
                from live_user(\(token.sessionID.uuid), \(token.issuedAt), \(token.tokenHash), \(token.expiresAt)) u
                where u.id = \(token.userID.uuid)
            )
            select end_sessions_of_user(id, 'revoked', \(token.sessionID.uuid)) from caller
            """)
        if rows.isEmpty { return false }
        signal.give()
        return true
    }
}
