import Foundation
import HTTPServer
import Identity
import Postgres
import Tokens

/// A sign-in with everything that the database may need for it.
struct SignInRequest: Sendable {
    let token: VerificationToken
    let deviceName: String?
    let address: ClientAddress
    /// Used if the phone has no user.
    let newUserID: UserID
    let newSessionID: SessionID
    let refreshToken: RefreshToken
    let accessTokenID: UUID
}

/// Sign-in in SQL.
struct SignInStore: Sendable {
    /// How far the clocks of otp-service's machine and the database may differ, in seconds.
    static let leeway = TokenVerifier.leeway

    let postgres: PostgresClient
    let limits: SessionLimits

    /// Uses a verification token; returns the outcome, the session if there are tokens to give, and whether the session
    /// began together with its user. Throws `PostgresError`.
    ///
    /// One statement: the use of the token is the session's row, unique by challenge. Twenty at once queue on the
    /// user's row and then on the unique index; `known` is what the statement's snapshot saw, and a session that a
    /// twin began after that comes back from the conflict instead. Whoever suspends or deletes the user locks the row
    /// too: a sign-in that comes second sees it, and the session of one that comes first is ended.
    func signIn(
        _ request: SignInRequest
    ) async throws(PostgresError) -> (outcome: SignInOutcome, grant: SessionGrant?, isNewUser: Bool) {
        let token = request.token
        let rows = try await postgres.write(
            """
            with p as (
                select \(token.challengeID.uuid) as challenge_id, \(request.newSessionID.uuid) as session_id,
                    make_interval(secs => \(Double(limits.idleLifetime))) as idle_lifetime,
                    make_interval(secs => \(Double(limits.absoluteLifetime))) as absolute_lifetime
                where \(token.expiresAt) + make_interval(secs => \(Self.leeway)) > now()
            ), known as (
                select s.* from sessions s join p using (challenge_id)
            ), account as (
                insert into users as u (id, phone, last_sign_in_at)
                select \(request.newUserID.uuid), \(token.subject.e164), now() from p where not exists (select from known)
                on conflict (phone) where status <> 'deleted' do update set last_sign_in_at =
                    case when u.status = 'active' and not \(unescaped: recycled("u")) then excluded.last_sign_in_at
                        else u.last_sign_in_at end
                returning u.*
            ), opened as (
                insert into sessions as s (id, user_id, challenge_id, device_name, address, refresh_hash,
                    access_token_id, access_expires_at, idle_expires_at, absolute_expires_at)
                select p.session_id, a.id, p.challenge_id, \(request.deviceName),
                    \(request.address.description)::inet, \(request.refreshToken.hash), \(request.accessTokenID),
                    -- Up to the whole second: exp has no fraction, and the client is promised this many seconds.
                    date_trunc('second', now() + make_interval(secs => \(Double(limits.accessLifetime)))
                        + interval '999999 microseconds'),
                    least(now() + p.idle_lifetime, now() + p.absolute_lifetime), now() + p.absolute_lifetime
                from p, account a where a.status = 'active' and not \(unescaped: recycled("a"))
                on conflict (challenge_id) do update set device_name = s.device_name
                returning s.*
            ), \(unescaped: consequences)
            select
                case when u.status = 'suspended' then 'suspended' when s.id = p.session_id then 'opened'
                    when s.id is null then 'unconfirmed'
                    when s.generation = 0 and s.ended_at is null and s.idle_expires_at > now()
                        and s.created_at > now() - make_interval(secs => \(Double(limits.signInRepeat)))
                        and (u.sign_in_not_before is null or u.sign_in_not_before < s.created_at)
                        and u.status = 'active' then 'repeated'
                    else 'already_used' end,
                u.created_at = s.created_at,
                \(unescaped: SessionGrant.columns(session: "s", user: "u"))
            from p cross join owner u left join session s on true
            """)
        guard let row = rows.first else { return (.expired, nil, false) }
        let word: String = try row.decode(column: 0)
        switch SignInOutcome(rawValue: word) {
        case .opened?: return (.opened, try SessionGrant(row, from: 2), try row.decode(column: 1))
        case .repeated?: return (.repeated, try SessionGrant(row, from: 2), try row.decode(column: 1))
        case .suspended?: return (.suspended, nil, false)
        case .unconfirmed?: return (.unconfirmed, nil, false)
        case .alreadyUsed?: return (.alreadyUsed, nil, false)
        case .expired?, nil: throw PostgresError(.decoding, "an unknown outcome")
        }
    }

    /// What a sign-in leaves behind, and whose and which session it is about.
    private var consequences: String {
        """
        begun as (
            select o.* from opened o join p on o.id = p.session_id
        ), too_many as (
            -- A lateral join: `id in (…)` with a reference to begun would be asked for every session there is.
            update sessions old set ended_at = now(), end_reason = 'too_many'
            from begun b cross join lateral (
                select o.id from sessions o
                where o.user_id = b.user_id and o.ended_at is null and o.idle_expires_at > now()
                order by o.created_at desc offset \(limits.maximumSessions - 1)) oldest
            where old.id = oldest.id
            returning old.*
        ), told as (
            insert into changes (kind, user_id, session_id, expires_at)
            select 'user-changed', user_id, null, null from begun
            union all select 'session-ended', user_id, id, access_expires_at from too_many
        ), owner as (
            select * from account union all select u.* from users u join known k on k.user_id = u.id
        ), session as (
            select * from opened union all select * from known
        )
        """
    }

    /// Whether a row of users, by this name, has a phone that may be somebody else's now. The sign-in itself makes it one that is
    /// in use.
    private func recycled(_ name: String) -> String {
        """
        phone_may_be_recycled(\(name).last_sign_in_at, \(name).created_at, \(name).confirmed_until, \(limits.phoneRecycleDays))
        """
    }
}
