import Foundation
import HTTPServer
package import Identity
import Postgres

extension SendCode {
    /// Use case: the same challenge and the same code once more, on this channel. Throws `PostgresError`.
    package func again(
        _ challenge: ChallengeID, channel: Channel, from caller: Caller
    ) async throws -> (outcome: ResendOutcome, allowance: NetworkAllowance?) {
        if let (refusal, wait) = refusals.recall(.challenge(challenge)) {
            metrics.resent(channel, refusal.waiting(wait))
            return (.refused(refusal.waiting(wait)), nil)
        }
        if let refusal = try await board.refusal(ofResendFor: challenge) {
            metrics.resent(channel, refusal)
            return (.refused(refusal), nil)
        }
        let charged = try await store.chargeAgain(
            challenge, channel: channel, network: caller.network.description, requests: caller.requests)
        gate.charged(caller.network, charged.requests)
        switch charged.decision {
        case .accepted(let resent):
            wake()
            metrics.resent(channel, nil)
            let left = resent.expiresAt.timeIntervalSince(resent.decidedAt)
            let receipt = ChallengeReceipt(
                challengeID: challenge, channel: channel, expiresAt: resent.expiresAt,
                expiresIn: max(0, Int(left)), resendAfter: store.limits.cooldown(after: resent.resends),
                resendsLeft: max(0, store.limits.cooldowns.count - resent.resends),
                attemptsLeft: resent.attemptsLeft, codeLength: resent.codeLength)
            return (.accepted(receipt), charged.allowance)
        case .refused(let refusal):
            refusals.remember(refusal, challenge: challenge, phone: charged.phone, network: caller.network)
            metrics.resent(channel, refusal)
            return (.refused(refusal), charged.allowance)
        case .resendsExhausted: return (.resendsExhausted, nil)
        case .notActive: return (.notActive, nil)
        }
    }
}

extension RefusalMemory<SendRefusal> {
    /// Remembers a refusal by what it was about.
    func remember(
        _ refusal: SendRefusal, challenge: ChallengeID? = nil, phone: PhoneNumber?, network: ClientAddress
    ) {
        switch refusal {
        case .resendTooSoon, .phoneLimit:
            // The phone's wait is also the challenge's, whose number is not known before the database is asked.
            if let challenge { remember(.challenge(challenge), refusal, wait: refusal.wait) }
            if let phone { remember(.phone(phone), refusal, wait: refusal.wait) }
        case .prefixLimit: if let phone { remember(.prefix(phone.prefix), refusal, wait: refusal.wait) }
        case .networkLimit: remember(.network(network), refusal, wait: refusal.wait)
        // The gate has its own memory, the board its own state, and a budget is asked for again: it may be raised.
        case .requestLimit, .budget, .destination: break
        }
    }
}
