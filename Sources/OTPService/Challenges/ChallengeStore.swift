package import Foundation
package import Identity
package import Postgres

/// What the database decided of a send, and when.
package enum SendDecision: Sendable, Hashable {
    /// `prefixOver`: the prefix is over its limit, and the guard only records.
    case accepted(at: Date, prefixOver: Bool)
    case refused(SendRefusal)
}

/// What the database decided of a resend.
package enum ResendDecision: Sendable, Hashable {
    case accepted(ResentChallenge)
    case refused(SendRefusal)
    case resendsExhausted
    case notActive
}

/// A challenge after one more message.
package struct ResentChallenge: Sendable, Hashable {
    /// E.164.
    package let phone: String
    /// When the database decided.
    package let decidedAt: Date
    /// When the code dies; a resend does not move it.
    package let expiresAt: Date
    /// How many resends there have been, this one included.
    package let resends: Int
    /// How many answers remain.
    package let attemptsLeft: Int
    /// Digits of the code.
    package let codeLength: Int
}

/// All that one send writes.
package struct ChallengeOrder: Sendable {
    /// A fresh id, which the code was derived from.
    package let id: ChallengeID
    /// Where the code goes.
    package let phone: PhoneNumber
    /// What its proof will be for.
    package let purpose: Purpose
    /// How the first message goes out.
    package let channel: Channel
    /// What is kept of the code.
    package let code: SealedCode
    /// Digits of the code.
    package let codeLength: Int
    /// Seconds that the code lives.
    package let lifetime: Int
    /// How many answers will be evaluated.
    package let maxAttempts: Int

    /// All that a send needs to know.
    package init(
        id: ChallengeID, phone: PhoneNumber, purpose: Purpose, channel: Channel, code: SealedCode, codeLength: Int,
        lifetime: Int, maxAttempts: Int
    ) {
        self.id = id
        self.phone = phone
        self.purpose = purpose
        self.channel = channel
        self.code = code
        self.codeLength = codeLength
        self.lifetime = lifetime
        self.maxAttempts = maxAttempts
    }
}

/// Challenges in the database. Each decision is one statement; the rules themselves are in `Schema/Migrations`, beside their
/// twins ``Challenge`` and ``PhoneLine``.
///
/// The database's clock decides; `at` is for tests. Everything throws `PostgresError`.
package struct ChallengeStore: Sendable {
    let postgres: PostgresClient
    let limits: SendLimits
    let locks: LockPolicy

    /// A store that keeps these limits.
    package init(postgres: PostgresClient, limits: SendLimits, locks: LockPolicy = .standard) {
        self.postgres = postgres
        self.limits = limits
        self.locks = locks
    }

    /// Charges the limits, replaces the phone's challenge of this purpose, and puts its message in the outbox.
    package func send(
        _ order: ChallengeOrder, network: String, at moment: Date? = nil
    ) async throws(PostgresError) -> SendDecision {
        let row = try await one(postgres.write(sendStatement(order, network: network, at: moment)))
        let (outcome, decidedAt, wait, prefixOver) = try row.decode((String, Date, Int, Bool).self)
        if outcome == "accepted" { return .accepted(at: decidedAt, prefixOver: prefixOver) }
        return .refused(try refusal(outcome, wait: wait))
    }

    /// The statement of ``send(_:network:at:)``, for the benchmark that runs the same one in pgbench.
    package func sendStatement(_ order: ChallengeOrder, network: String, at moment: Date? = nil) -> PostgresQuery {
        let enforced = limits.fraudGuard == .enforce
        let part = NetworkPart(network, limits.network)
        return """
            SELECT outcome, decided_at, wait, prefix_over FROM send_code(
                \(moment), \(order.phone.e164)::e164, \(order.purpose.rawValue)::purpose,
                \(order.channel.rawValue)::channel, \(order.id.uuid), \(order.code.keyID), \(order.code.digest),
                \(order.codeLength), \(order.lifetime), \(order.maxAttempts), \(limits.cooldown(after: 0)),
                \(limits.phone?.step), \(limits.phone?.window),
                \(limits.phoneLonger?.step), \(limits.phoneLonger?.window),
                \(part.key), \(part.limit.step), \(part.limit.window),
                \("prefix:" + order.phone.prefix), \(prefixLimit?.step), \(prefixLimit?.window), \(enforced))
            """
    }

    /// Sends the code of an active challenge again, under the same limits.
    package func resend(
        _ challenge: ChallengeID, channel: Channel, network: String, at moment: Date? = nil
    ) async throws(PostgresError) -> ResendDecision {
        let part = NetworkPart(network, limits.network)
        let rows = try await postgres.write(
            """
            SELECT outcome, decided_at, wait, phone, expires_at, resends, attempts_left, code_length FROM resend_code(
                \(moment), \(challenge.uuid), \(channel.rawValue)::channel, \(limits.cooldowns),
                \(limits.phone?.step), \(limits.phone?.window),
                \(limits.phoneLonger?.step), \(limits.phoneLonger?.window),
                \(part.key), \(part.limit.step), \(part.limit.window),
                \(prefixLimit?.step), \(prefixLimit?.window), \(limits.fraudGuard == .enforce))
            """)
        let (outcome, decidedAt, wait, phone, expiresAt, resends, attemptsLeft, codeLength) = try one(rows).decode(
            (String, Date?, Int?, String?, Date?, Int?, Int?, Int?).self)
        switch outcome {
        case "not-active": return .notActive
        case "resends-exhausted": return .resendsExhausted
        case "accepted":
            guard let decidedAt, let phone, let expiresAt, let resends, let attemptsLeft, let codeLength else {
                throw PostgresError(.decoding, "an accepted resend lacks a member")
            }
            return .accepted(
                ResentChallenge(
                    phone: phone, decidedAt: decidedAt, expiresAt: expiresAt, resends: resends,
                    attemptsLeft: attemptsLeft, codeLength: codeLength))
        default: return .refused(try refusal(outcome, wait: wait ?? 0))
        }
    }

    private var prefixLimit: RateLimit? { limits.fraudGuard == .off ? nil : limits.prefix }

    private func refusal(_ outcome: String, wait: Int) throws(PostgresError) -> SendRefusal {
        switch outcome {
        case "resend-too-soon": .resendTooSoon(wait: wait)
        case "phone-limit": .phoneLimit(wait: wait)
        case "network-limit": .networkLimit(wait: wait)
        case "prefix-limit": .prefixLimit(wait: wait)
        default: throw PostgresError(.decoding, "an outcome of a send that this version does not know")
        }
    }

    func one(_ rows: PostgresRows) throws(PostgresError) -> PostgresRow {
        guard let row = rows.first else { throw PostgresError(.decoding, "no row where one was promised") }
        return row
    }
}
