import Foundation
import Identity
import Postgres
import Tokens

/// What users do with their own account, in SQL.
struct AccountStore: Sendable {
    let postgres: PostgresClient

    /// Gives the token's user the phone of a proof. Throws `PostgresError`.
    func changePhone(
        of token: AccessToken, to proof: VerificationToken
    ) async throws(PostgresError) -> PhoneChangeOutcome {
        let rows = try await postgres.write(
            """
            select change_phone(\(token.userID.uuid), \(token.sessionID.uuid), \(token.issuedAt), \(token.tokenHash),
                \(token.expiresAt), \(proof.challengeID.uuid), \(proof.expiresAt + TokenVerifier.leeway), \(proof.subject.e164),
                make_interval(secs => \(Double(PhoneChange.freshFor))), make_interval(secs => \(Double(PhoneChange.repeatFor))))
            """)
        let word: String = try rows.first?.decode(column: 0) ?? ""
        guard let outcome = PhoneChangeOutcome(rawValue: word) else {
            throw PostgresError(.decoding, "an unknown outcome")
        }
        return outcome
    }

    /// Closes the account of a token's user; false if the token has been revoked. Throws `PostgresError`.
    func close(of token: AccessToken) async throws(PostgresError) -> Bool {
        let rows = try await postgres.write(
            """
            select close_own_account(\(token.userID.uuid), \(token.sessionID.uuid), \(token.issuedAt), \(token.tokenHash),
                \(token.expiresAt))
            """)
        return try rows.first?.decode(column: 0) ?? false
    }

    /// Everything that is kept about the token's user; nil if the token has been revoked. Throws `PostgresError`.
    func export(of token: AccessToken) async throws(PostgresError) -> AccountExport? {
        let rows = try await postgres.read(
            """
            select \(unescaped: User.columns(of: "u")), u.updated_at, u.sign_in_not_before, now(),
                (select active_on::text from user_activity a where a.user_id = u.id),
                (select count(*) from sessions s where s.user_id = u.id),
                array(select changed_at from phone_changes c where c.user_id = u.id
                    and c.changed_at > now() - interval '1 day' order by changed_at)
            from live_user(\(token.sessionID.uuid), \(token.issuedAt), \(token.tokenHash), \(token.expiresAt)) u
            where u.id = \(token.userID.uuid)
            """)
        guard let row = rows.first else { return nil }
        let first = User.columnCount
        var export = AccountExport(
            user: try User(row), updatedAt: try row.decode(column: first),
            signedOutAt: try row.decode(column: first + 1), exportedAt: try row.decode(column: first + 2),
            lastActiveOn: try row.decode(column: first + 3), sessionCount: try row.decode(column: first + 4),
            phoneChanges: try row.decode(column: first + 5))
        let sessions = try await postgres.read(
            """
            select id, device_name, abbrev(address), created_at, rotated_at, idle_expires_at, ended_at, end_reason from sessions
            where user_id = \(token.userID.uuid) order by created_at desc limit \(AccountExport.sessionLimit)
            """)
        for session in sessions {
            export.sessions.append(
                AccountExport.Session(
                    id: SessionID(uuid: try session.decode(column: 0)), deviceName: try session.decode(column: 1),
                    address: try session.decode(column: 2), createdAt: try session.decode(column: 3),
                    lastUsedAt: try session.decode(column: 4), expiresAt: try session.decode(column: 5),
                    endedAt: try session.decode(column: 6), endReason: try session.decode(column: 7)))
        }
        return export
    }

    /// Forgets the proofs by which phones were changed more than a day ago, at most a thousand at a time. Throws
    /// `PostgresError`.
    func forgetPhoneChanges() async throws(PostgresError) -> Int {
        try await postgres.write(
            """
            delete from phone_changes where challenge_id in (
                select challenge_id from phone_changes where changed_at < now() - interval '1 day'
                order by changed_at limit 1000 for update skip locked)
            """
        ).affectedRows
    }
}
