package import Foundation
package import Identity
package import Postgres

/// What the database decided of an answer.
package enum AnswerDecision: Sendable, Hashable {
    /// The phone is proved, once.
    case verified(phone: PhoneNumber, purpose: Purpose)
    case incorrect(attemptsLeft: Int)
    /// Locked over all challenges; the wait is in microseconds.
    case locked(wait: Int)
    case notActive
    /// The network has used up its requests; microseconds.
    case requestLimit(wait: Int)
}

/// A challenge and its newest message, as its owner may see them.
package struct ChallengeView: Sendable, Hashable {
    /// What became of the challenge.
    package let status: ChallengeStatus
    /// What became of its newest message.
    package let message: MessageState
    /// How that message went out.
    package let channel: Channel
    /// When the state of that message changed last.
    package let updatedAt: Date
    /// When the code dies, or died.
    package let expiresAt: Date
    /// Seconds until another message may be asked for; 0: now.
    package let resendAfter: Int
}

extension ChallengeStore {
    /// Judges an answer in one statement: attempt charged, code consumed, failures counted, outcome told.
    package func answer(
        _ challenge: ChallengeID, _ candidates: (current: SealedCode, previous: SealedCode?), at moment: Date? = nil
    ) async throws(PostgresError) -> AnswerDecision {
        let rows = try await postgres.write(
            """
            SELECT outcome, wait, phone, purpose, attempts_left FROM judge_answer(
                \(moment), \(challenge.uuid), \(candidates.current.keyID), \(candidates.current.digest),
                \(candidates.previous?.keyID), \(candidates.previous?.digest),
                \(locks.every), \(locks.seconds), \(locks.forGood))
            """)
        let (outcome, wait, phone, purpose, attemptsLeft) = try one(rows).decode(
            (String, Int?, String?, String?, Int?).self)
        return try decision(outcome, wait, phone, purpose, attemptsLeft)
    }

    /// The same, and charges the network `requests` requests, or as many as are left, in the statement; where none is left,
    /// nothing is judged. Returns how many were charged.
    package func answer(
        _ challenge: ChallengeID, _ candidates: (current: SealedCode, previous: SealedCode?), network: String,
        requests: Int
    ) async throws(PostgresError) -> (decision: AnswerDecision, requests: Int) {
        let part = NetworkPart(network, limits.network, requests: limits.requests)
        let rows = try await postgres.write(
            """
            SELECT l.granted, l.wait, a.outcome, a.wait, a.phone, a.purpose, a.attempts_left
            FROM lease_requests(
                NULL, \(part.key), \(part.requests.step), \(part.requests.window), \(requests), 0, true) l
            CROSS JOIN LATERAL judge_answer(
                NULL, CASE WHEN l.granted > 0 THEN \(challenge.uuid) END,
                \(candidates.current.keyID), \(candidates.current.digest),
                \(candidates.previous?.keyID), \(candidates.previous?.digest),
                \(locks.every), \(locks.seconds), \(locks.forGood)) a
            """)
        let (granted, pause, outcome, wait, phone, purpose, attemptsLeft) = try one(rows).decode(
            (Int, Int, String, Int?, String?, String?, Int?).self)
        guard granted > 0 else { return (.requestLimit(wait: pause), 0) }
        return (try decision(outcome, wait, phone, purpose, attemptsLeft), granted)
    }

    private func decision(
        _ outcome: String, _ wait: Int?, _ phone: String?, _ purpose: String?, _ attemptsLeft: Int?
    ) throws(PostgresError) -> AnswerDecision {
        switch outcome {
        case "verified":
            guard let phone = phone.flatMap(PhoneNumber.init(e164:)), let purpose = purpose.flatMap(Purpose.init)
            else { throw PostgresError(.decoding, "a verified challenge lacks phone or purpose") }
            return .verified(phone: phone, purpose: purpose)
        case "incorrect": return .incorrect(attemptsLeft: attemptsLeft ?? 0)
        case "locked": return .locked(wait: wait ?? 0)
        case "not-active": return .notActive
        default: throw PostgresError(.decoding, "an outcome of an answer that this version does not know")
        }
    }

    /// Reads a challenge and the state of its newest message; nil if there is none of this id.
    package func view(_ challenge: ChallengeID) async throws(PostgresError) -> ChallengeView? {
        // Nearly always it is of today or yesterday; the days before are many tables.
        let recent = try await postgres.read(viewStatement(challenge, challenges: "challenges", messages: "messages"))
        let rows =
            recent.isEmpty
            ? try await postgres.read(
                viewStatement(challenge, challenges: "past_challenges", messages: "past_messages")) : recent
        guard let row = rows.first else { return nil }
        let (
            verifiedAt, expiresAt, attempts, maxAttempts, purposeName, now, named, resendAfter, state, channel,
            updatedAt
        ) =
            try row.decode(
                (Date?, Date, Int, Int, String, Date, Bool, Int, String, String, Date).self)
        guard let purpose = Purpose(rawValue: purposeName), let state = MessageState(rawValue: state),
            let channel = Channel(rawValue: channel)
        else { throw PostgresError(.decoding, "a purpose, state or channel that this version does not know") }
        var rule = Challenge(id: challenge, purpose: purpose, maxAttempts: maxAttempts, expiresAt: expiresAt)
        rule.attempts = attempts
        rule.verifiedAt = verifiedAt
        return ChallengeView(
            status: rule.status(named: named, at: now), message: state, channel: channel, updatedAt: updatedAt,
            expiresAt: expiresAt, resendAfter: resendAfter)
    }

    private func viewStatement(_ challenge: ChallengeID, challenges: String, messages: String) -> PostgresQuery {
        """
        SELECT c.verified_at, c.expires_at, c.attempts, c.max_attempts, c.purpose::text, now(),
            coalesce(c.id IN (p.sign_in, p.change_phone, p.admin_sign_in), false),
            greatest(ceil(extract(epoch FROM p.resend_at - clock_timestamp()))::int8, 0), m.state::text, m.channel::text,
            m.updated_at
        FROM \(unescaped: challenges) c
        JOIN (SELECT phone, sign_in, change_phone, admin_sign_in, greatest(resend_at, '2000-01-01Z') AS resend_at FROM phones) p
            ON p.phone = c.phone
        JOIN LATERAL (SELECT * FROM \(unescaped: messages) m WHERE m.challenge_id = c.id ORDER BY m.number DESC LIMIT 1) m ON true
        WHERE c.id = \(challenge.uuid)
        """
    }
}
