package import Foundation
package import Identity
package import Postgres

/// Challenges in the database. Each decision is one statement; the rules themselves are in `Schema/Migrations`, beside their
/// twins ``Challenge`` and ``PhoneLine``.
///
/// The database's clock decides; `at` is for tests. Everything throws `PostgresError`.
package struct ChallengeStore: Sendable {
    let postgres: PostgresClient
    let limits: SendLimits
    let locks: LockPolicy
    /// In E.164: nothing is ever sent to them.
    let testPhones: [String]

    /// A store that keeps these limits.
    package init(
        postgres: PostgresClient, limits: SendLimits, locks: LockPolicy = .standard, testPhones: [String] = []
    ) {
        self.postgres = postgres
        self.limits = limits
        self.locks = locks
        self.testPhones = testPhones
    }

    /// Charges the limits, replaces the phone's challenge of this purpose, and puts its message in the outbox.
    package func send(
        _ order: ChallengeOrder, network: String, at moment: Date? = nil
    ) async throws(PostgresError) -> SendDecision {
        try await charge(order, network: network, requests: 0, at: moment).decision
    }

    /// The same, and charges the network `requests` requests, or as many as are left, besides.
    package func charge(
        _ order: ChallengeOrder, network: String, requests: Int, at moment: Date? = nil
    ) async throws(PostgresError) -> Charged<SendDecision> {
        let row = try await one(
            postgres.write(sendStatement(order, network: network, requests: requests, at: moment)))
        let (
            outcome, decidedAt, wait, prefixOver, left, next, granted, challenge, channel, lifetime, resendAfter,
            resendsLeft, attemptsLeft, codeLength
        ) = try row.decode(
            (String, Date, Int?, Bool, Int?, Int?, Int, UUID?, String?, Int?, Int?, Int?, Int?, Int?).self)
        switch outcome {
        case "accepted":
            return Charged(
                decision: .accepted(at: decidedAt, prefixOver: prefixOver), allowance: allowance(left, next),
                requests: granted)
        case "replayed":
            guard let challenge, let channel = channel.flatMap(Channel.init), let lifetime, let resendAfter,
                let resendsLeft, let attemptsLeft, let codeLength
            else { throw PostgresError(.decoding, "a first answer lacks a member") }
            return Charged(
                decision: .replayed(
                    ChallengeReceipt(
                        challengeID: ChallengeID(uuid: challenge), channel: channel,
                        expiresAt: decidedAt.addingTimeInterval(TimeInterval(lifetime)), expiresIn: lifetime,
                        resendAfter: resendAfter, resendsLeft: resendsLeft, attemptsLeft: attemptsLeft,
                        codeLength: codeLength)))
        case "key-reused": return Charged(decision: .keyReused)
        case "in-progress": return Charged(decision: .inProgress)
        default:
            return Charged(
                decision: .refused(try refusal(outcome, wait: wait ?? 0)), allowance: allowance(left, next))
        }
    }

    /// The statement of ``charge(_:network:requests:at:)``, for the benchmark that runs the same one in pgbench.
    package func sendStatement(
        _ order: ChallengeOrder, network: String, requests: Int = 0, at moment: Date? = nil
    ) -> PostgresQuery {
        let part = NetworkPart(network, limits.network, requests: limits.requests)
        return """
            SELECT outcome, decided_at, wait, prefix_over, network_left * \(part.parts), network_wait, requests_granted,
                challenge, channel, lifetime, resend_after, resends_left, attempts_left, code_length
            FROM order_code(
                \(moment), \(order.phone.e164)::e164, \(order.purpose.rawValue)::purpose,
                \(order.channel.rawValue)::channel, \(order.isTest ? "delivered" : "queued")::message_state,
                \(order.id.uuid), \(order.code.keyID), \(order.code.digest),
                \(order.codeLength), \(order.lifetime), \(order.maxAttempts), \(limits.cooldown(after: 0)),
                \(limits.cooldowns.count), \(limits.phone?.step), \(limits.phone?.window),
                \(limits.phoneLonger?.step), \(limits.phoneLonger?.window),
                \(part.key), \(part.limit.step), \(part.limit.window),
                \(requests), \(part.requests.step), \(part.requests.window),
                \("prefix:" + order.phone.prefix), \(prefixLimit?.step), \(prefixLimit?.window),
                \(limits.fraudGuard == .enforce), \(order.isTest ? nil : limits.dailyBudget), \(limits.budgetParts),
                \(order.repeatKey?.key), \(order.repeatKey?.fingerprint))
            """
    }

    /// Sends the code of an active challenge again, under the same limits.
    package func resend(
        _ challenge: ChallengeID, channel: Channel, network: String, at moment: Date? = nil
    ) async throws(PostgresError) -> ResendDecision {
        try await chargeAgain(challenge, channel: channel, network: network, requests: 0, at: moment).decision
    }

    /// The same, and charges the network `requests` requests, or as many as are left, besides.
    package func chargeAgain(
        _ challenge: ChallengeID, channel: Channel, network: String, requests: Int, at moment: Date? = nil
    ) async throws(PostgresError) -> Charged<ResendDecision> {
        let part = NetworkPart(network, limits.network, requests: limits.requests)
        let rows = try await postgres.write(
            """
            SELECT outcome, decided_at, wait, network_left * \(part.parts), network_wait, requests_granted, phone, expires_at,
                resends, attempts_left, code_length
            FROM order_again(
                \(moment), \(challenge.uuid), \(channel.rawValue)::channel, \(testPhones), \(limits.cooldowns),
                \(limits.phone?.step), \(limits.phone?.window),
                \(limits.phoneLonger?.step), \(limits.phoneLonger?.window),
                \(part.key), \(part.limit.step), \(part.limit.window),
                \(requests), \(part.requests.step), \(part.requests.window),
                \(prefixLimit?.step), \(prefixLimit?.window), \(limits.fraudGuard == .enforce),
                \(limits.dailyBudget), \(limits.budgetParts))
            """)
        let (
            outcome, decidedAt, wait, left, next, granted, phone, expiresAt, resends, attemptsLeft, codeLength
        ) = try one(rows).decode(
            (String, Date?, Int?, Int?, Int?, Int, String?, Date?, Int?, Int?, Int?).self)
        switch outcome {
        case "not-active": return Charged(decision: .notActive)
        case "resends-exhausted": return Charged(decision: .resendsExhausted)
        case "accepted":
            guard let decidedAt, let phone, let expiresAt, let resends, let attemptsLeft, let codeLength else {
                throw PostgresError(.decoding, "an accepted resend lacks a member")
            }
            return Charged(
                decision: .accepted(
                    ResentChallenge(
                        phone: phone, decidedAt: decidedAt, expiresAt: expiresAt, resends: resends,
                        attemptsLeft: attemptsLeft, codeLength: codeLength)),
                allowance: allowance(left, next), requests: granted)
        default:
            return Charged(
                decision: .refused(try refusal(outcome, wait: wait ?? 0)), allowance: allowance(left, next),
                phone: phone.flatMap(PhoneNumber.init(e164:)))
        }
    }

    private var prefixLimit: RateLimit? { limits.fraudGuard == .off ? nil : limits.prefix }

    private func allowance(_ left: Int?, _ wait: Int?) -> NetworkAllowance? {
        guard let left, let wait else { return nil }
        return NetworkAllowance(left: left, wait: wait)
    }

    private func refusal(_ outcome: String, wait: Int) throws(PostgresError) -> SendRefusal {
        switch outcome {
        case "resend-too-soon": .resendTooSoon(wait: wait)
        case "phone-limit": .phoneLimit(wait: wait)
        case "network-limit": .networkLimit(wait: wait)
        case "prefix-limit": .prefixLimit(wait: wait)
        case "request-limit": .requestLimit(wait: wait)
        case "budget-limit": .budget(wait: wait)
        default: throw PostgresError(.decoding, "an outcome of a send that this version does not know")
        }
    }

    func one(_ rows: PostgresRows) throws(PostgresError) -> PostgresRow {
        guard let row = rows.first else { throw PostgresError(.decoding, "no row where one was promised") }
        return row
    }
}
