import Foundation
import HTTPServer
import Identity
import Postgres

/// The refresh of sessions in SQL.
struct SessionStore: Sendable {
    let postgres: PostgresClient
    let limits: SessionLimits

    /// Presents a refresh token and returns the outcome, with the session if there are tokens to give. Throws
    /// `PostgresError`.
    ///
    /// One `UPDATE`, so that of many at once the row lock makes one the first: it rotates, and the others, whose
    /// conditions are evaluated again on the row that it left (PostgreSQL manual, 13.2.1), find their token to be the
    /// previous one. A token that is neither the current one nor just replaced, but was ours, ends the session. One
    /// that was never ours matches no row: knowing a session's id is not enough to end it.
    func refresh(
        _ token: RefreshToken, successor: RefreshToken, accessTokenID: UUID, from address: ClientAddress
    ) async throws(PostgresError) -> (outcome: RefreshOutcome, grant: SessionGrant?) {
        let rows = try await postgres.write(
            """
            with refreshed as (
                update sessions s set
                    generation = s.generation + case when s.refresh_hash = p.hash then 1 else 0 end,
                    refresh_hash = case when s.refresh_hash = p.hash then p.successor else s.refresh_hash end,
                    previous_refresh_hash = case when s.refresh_hash = p.hash then p.hash else s.previous_refresh_hash end,
                    address = case when s.refresh_hash = p.hash then p.address else s.address end,
                    rotated_at = case when s.refresh_hash = p.hash then now() else s.rotated_at end,
                    access_token_id = case when s.refresh_hash = p.hash then p.access_token_id else s.access_token_id end,
                    access_expires_at = case when s.refresh_hash = p.hash
                        then date_trunc('second', now() + p.access_lifetime + interval '999999 microseconds')
                        else s.access_expires_at end,
                    idle_expires_at = case when s.refresh_hash = p.hash
                        then least(now() + p.idle_lifetime, s.absolute_expires_at) else s.idle_expires_at end,
                    ended_at = case when s.refresh_hash = p.hash
                        or (s.previous_refresh_hash = p.hash and s.rotated_at > now() - p.grace) then null else now() end,
                    end_reason = case when s.refresh_hash = p.hash
                        or (s.previous_refresh_hash = p.hash and s.rotated_at > now() - p.grace) then null else 'refresh_reused' end
                from (select \(token.hash) as hash, \(successor.hash) as successor, \(token.isGenuine) as is_genuine,
                        \(accessTokenID) as access_token_id, \(address.description)::inet as address,
                        make_interval(secs => \(Double(limits.accessLifetime))) as access_lifetime,
                        make_interval(secs => \(Double(limits.idleLifetime))) as idle_lifetime,
                        make_interval(secs => \(Double(limits.refreshGrace))) as grace) p,
                    users u
                where s.id = \(token.sessionID.uuid) and u.id = s.user_id
                    and s.ended_at is null and s.idle_expires_at > now() and s.absolute_expires_at > now()
                    and u.status = 'active' and (u.sign_in_not_before is null or u.sign_in_not_before < s.created_at)
                    and (p.is_genuine or s.refresh_hash = p.hash or s.previous_refresh_hash = p.hash)
                returning
                    case when s.ended_at is not null then 'reused'
                        when s.access_token_id = p.access_token_id then 'rotated' else 'repeated' end,
                    \(unescaped: SessionGrant.columns(session: "s", user: "u")),
                    s.ended_at, s.id as ended_id, s.user_id as ended_user_id
            ), told as (
                insert into changes (kind, user_id, session_id, expires_at)
                select 'session-ended', ended_user_id, ended_id, access_expires_at from refreshed
                where ended_at is not null
            )
            select * from refreshed
            """)
        guard let row = rows.first else { return (.refused, nil) }
        let word: String = try row.decode(column: 0)
        guard let outcome = RefreshOutcome(rawValue: word) else { throw PostgresError(.decoding, "an unknown outcome") }
        return (outcome, outcome == .reused ? nil : try SessionGrant(row, from: 1))
    }
}
