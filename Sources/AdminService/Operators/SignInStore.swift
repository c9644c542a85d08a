import Identity
import Postgres

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The SQL of operators' sign-in.
struct SignInStore: Sendable {
    let postgres: PostgresClient
    let limits: SecondFactorLimits

    /// An active operator, with what is needed to judge a code.
    struct Candidate: Sendable {
        let id: AdminID
        let sealedSecret: [UInt8]
        /// The database's time in seconds of Unix time.
        let now: Int64
    }

    /// One attempt, judged as far as that needs the secret.
    struct Attempt: Sendable {
        let admin: AdminID
        let challenge: ChallengeID
        /// The step whose code it was; nil if of none.
        var step: Int64?
        /// The hash of the recovery code that came instead.
        var recoveryHash: [UInt8]?
        /// The secret sealed anew, to be kept if the code is accepted.
        var resealed: [UInt8]?
    }

    enum Verdict: Sendable {
        case accepted(BegunSession)
        case incorrect(failures: Int, lockedFor: Int?)
        /// Seconds; nil for good.
        case locked(seconds: Int?)
        case used
        /// No active operator any more.
        case gone
    }

    /// The active operator with this phone. Throws `PostgresError`.
    func candidate(phone: PhoneNumber) async throws -> Candidate? {
        let rows = try await postgres.read(
            """
            SELECT id, totp_secret, floor(extract(epoch FROM now()))::int8
              FROM admins WHERE phone = \(phone.e164) AND disabled_at IS NULL
            """)
        guard let row = rows.first else { return nil }
        let (id, secret, now) = try row.decode((UUID, [UInt8], Int64).self)
        return Candidate(id: AdminID(uuid: id), sealedSecret: secret, now: now)
    }

    /// Decides an attempt, writes down what follows from it, and its audit row: one statement.
    ///
    /// Attempts of one operator queue at the row lock, and each sees what the one before it left: of a hundred at once with the
    /// same code one is accepted, and of a hundred wrong ones five are looked at. Throws `PostgresError`, `NotRecorded`.
    func decide(_ attempt: Attempt, origin: AuditOrigin) async throws -> Verdict {
        do {
            return try await decideOnce(attempt, origin: origin)
        } catch let error as NotRecorded where error.cause.constraint == "admin_sessions_challenge_once" {
            // Another attempt with the same proof, and one with another proof after it, were both committed between
            // this statement's snapshot and its row lock. Now they are in sight.
            return try await decideOnce(attempt, origin: origin)
        }
    }

    private func decideOnce(_ attempt: Attempt, origin: AuditOrigin) async throws -> Verdict {
        let session = SessionID()
        let rows = try await postgres.record(
            """
            WITH given AS (
                SELECT \(attempt.admin.uuid) AS admin_id, \(attempt.challenge.uuid) AS challenge_id,
                       \(session.uuid) AS session_id, \(attempt.step) AS step, \(attempt.resealed) AS resealed,
                       \(limits.failuresToLock) AS to_lock, \(limits.failuresToDisable) AS to_disable,
                       make_interval(secs => \(Double(limits.lockSeconds))) AS lock_time,
                       \(attempt.recoveryHash) AS recovery_hash
            ), \(unescaped: Self.judgement), \(unescaped: Self.consequences), audit AS (
                INSERT INTO audit_log (\(unescaped: AuditStore.columns))
                SELECT \(AuditID().uuid), v.id, 'admin',
                       CASE v.outcome WHEN 'accepted' THEN 'operator.signed_in'
                                      WHEN 'incorrect' THEN 'operator.sign_in_failed'
                                      ELSE 'operator.sign_in_refused' END,
                       CASE v.outcome WHEN 'accepted' THEN 'session' ELSE 'challenge' END,
                       CASE v.outcome WHEN 'accepted' THEN g.session_id ELSE g.challenge_id END::text,
                       CASE v.outcome WHEN 'incorrect' THEN 'incorrect-code'
                                      WHEN 'locked' THEN 'too-many-failures'
                                      WHEN 'used' THEN 'verification-already-used'
                                      ELSE (SELECT 'recovery-code' FROM recovery) END,
                       \(origin.requestID), \(origin.address)
                  FROM verdict v, given g
                ON CONFLICT (target_id, reason) WHERE action = 'operator.sign_in_refused' DO NOTHING
            )
            SELECT v.outcome, v.phone, v.role, v.failures::int8,
                   CASE WHEN isfinite(v.locked_until)
                        THEN ceil(extract(epoch FROM v.locked_until - now()))::int8 END,
                   s.created_at
              FROM verdict v LEFT JOIN session s ON true
            """)
        guard let row = rows.first else { return .gone }
        return try verdict(row, attempt: attempt, session: session)
    }

    /// What becomes of `given`: the outcome with the failures and the lock that follow from it.
    private static let judgement = """
        admin AS MATERIALIZED (
            -- Waits for attempts in progress and then reads what they left.
            SELECT a.id, a.phone, a.role, a.totp_last_step, a.totp_failures, a.totp_locked_until,
                   a.last_challenge_id
              FROM admins a
             WHERE a.id = (SELECT admin_id FROM given) AND a.disabled_at IS NULL
               FOR NO KEY UPDATE
        ), recovery AS MATERIALIZED (
            -- After the operator's row. One that another attempt has just used is not found any more.
            SELECT c.code_hash FROM admin_recovery_codes c
             WHERE c.admin_id = (SELECT id FROM admin) AND c.code_hash = (SELECT recovery_hash FROM given)
               AND c.used_at IS NULL
               FOR UPDATE
        ), judged AS MATERIALIZED (
            SELECT a.id, a.phone, a.role, a.totp_failures, a.totp_locked_until,
                   CASE
                       WHEN a.last_challenge_id = g.challenge_id THEN 'used'
                       WHEN EXISTS (SELECT FROM admin_sessions s WHERE s.challenge_id = g.challenge_id) THEN 'used'
                       WHEN a.totp_locked_until > now() THEN 'locked'
                       WHEN g.step > a.totp_last_step THEN 'accepted'
                       WHEN EXISTS (SELECT FROM recovery) THEN 'accepted'
                       ELSE 'incorrect'
                   END AS outcome
              FROM admin a, given g
        ), verdict AS MATERIALIZED (
            SELECT j.id, j.phone, j.role, j.outcome,
                   CASE j.outcome
                       WHEN 'accepted' THEN 0
                       WHEN 'incorrect' THEN j.totp_failures + 1
                       ELSE j.totp_failures
                   END AS failures,
                   CASE
                       WHEN j.outcome = 'accepted' THEN NULL
                       WHEN j.outcome <> 'incorrect' THEN j.totp_locked_until
                       WHEN j.totp_failures + 1 >= g.to_disable THEN 'infinity'
                       WHEN (j.totp_failures + 1) % g.to_lock = 0 THEN now() + g.lock_time
                       ELSE j.totp_locked_until
                   END AS locked_until
              FROM judged j, given g
        )
        """

    /// What a verdict leaves behind.
    private static let consequences = """
        counted AS (
            UPDATE admins a
               SET totp_failures = v.failures,
                   totp_locked_until = v.locked_until,
                   totp_last_step =
                       CASE v.outcome WHEN 'accepted' THEN coalesce(g.step, a.totp_last_step)
                                      ELSE a.totp_last_step END,
                   last_challenge_id =
                       CASE v.outcome WHEN 'accepted' THEN g.challenge_id ELSE a.last_challenge_id END,
                   totp_secret =
                       CASE v.outcome WHEN 'accepted' THEN coalesce(g.resealed, a.totp_secret)
                                      ELSE a.totp_secret END
              FROM verdict v, given g
             WHERE a.id = v.id AND v.outcome IN ('accepted', 'incorrect')
        ), used AS (
            UPDATE admin_recovery_codes c SET used_at = now() FROM verdict v, recovery r
             WHERE c.admin_id = v.id AND c.code_hash = r.code_hash AND v.outcome = 'accepted'
        ), session AS (
            INSERT INTO admin_sessions (id, admin_id, challenge_id)
            SELECT g.session_id, v.id, g.challenge_id FROM verdict v, given g WHERE v.outcome = 'accepted'
            RETURNING created_at
        )
        """

    private func verdict(_ row: PostgresRow, attempt: Attempt, session: SessionID) throws -> Verdict {
        let (outcome, phone, role, failures, lock, createdAt) =
            try row.decode((String, String, String, Int, Int?, Date?).self)
        switch outcome {
        case "accepted":
            guard let createdAt, let admin = Operator(id: attempt.admin.uuid, phone: phone, role: role) else {
                throw UnreadableRow(table: "admins")
            }
            return .accepted(BegunSession(id: session, admin: admin, createdAt: createdAt))
        case "incorrect":
            return .incorrect(failures: failures, lockedFor: (lock ?? 0) > 0 ? lock : nil)
        case "locked": return .locked(seconds: lock)
        default: return .used
        }
    }
}

/// A row that the schema's constraints do not allow.
struct UnreadableRow: Error {
    let table: String
}

extension Operator {
    /// Reads the columns of `admins`; nil if they are not what the schema allows.
    init?(id: UUID, phone: String, role: String) {
        guard let phone = PhoneNumber(e164: phone), let role = Role(rawValue: role) else { return nil }
        self.init(id: AdminID(uuid: id), phone: phone, role: role)
    }
}
