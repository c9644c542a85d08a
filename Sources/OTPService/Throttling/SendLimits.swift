/// Everything that limits how often messages go out.
package struct SendLimits: Sendable, Hashable {
    /// Whether limits against SMS pumping refuse, or are only counted.
    package enum FraudGuard: String, Sendable, CaseIterable {
        case enforce
        /// What would have been refused is counted in `otp_throttled_total` and sent.
        case record
        case off
    }

    /// Per phone; both hold.
    package var phone: RateLimit?
    /// The second limit per phone; nil: there is none.
    package var phoneLonger: RateLimit?
    /// Per client network (an IPv4 address or an IPv6 /64).
    package var network: RateLimit
    /// Per block of ten thousand numbers.
    package var prefix: RateLimit
    /// What happens at the limit per prefix.
    package var fraudGuard: FraudGuard
    /// Seconds to wait after the first message of a challenge, the second and so on; as many resends as there are.
    package var cooldowns: [Int]
    /// All requests of a client network to `/v1/otp/*`.
    package var requests = RateLimit(300, per: 300)
    /// Messages of a UTC day; nil: no such limit.
    package var dailyBudget: Int?

    /// The published defaults (`api.md`, otp-service).
    package static let standard = SendLimits(
        phone: RateLimit(5, per: 3600), phoneLonger: RateLimit(10, per: 86_400), network: RateLimit(25, per: 300),
        prefix: RateLimit(20, per: 3600), fraudGuard: .enforce, cooldowns: [30, 60, 120])

    /// In how many rows the budget is kept: one lets sends pass one commit at a time, which is no matter for a small one.
    var budgetParts: Int { (dailyBudget ?? 0) < 10_000 ? 1 : 16 }

    /// The cooldown that a message begins, in seconds; `number` counts from 0, the first.
    package func cooldown(after number: Int) -> Int {
        guard let last = cooldowns.last else { return 0 }
        return cooldowns.indices.contains(number) ? cooldowns[number] : last
    }
}
