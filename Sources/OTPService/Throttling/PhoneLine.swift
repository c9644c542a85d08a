package import Foundation
package import Identity

/// Why a message may not go out now. Waits are in microseconds.
package enum SendRefusal: Sendable, Hashable {
    /// The last message is too recent.
    case resendTooSoon(wait: Int)
    /// The phone has had its share.
    case phoneLimit(wait: Int)
    /// The caller's network has had its share.
    case networkLimit(wait: Int)
    /// The block of numbers has had its share: somebody may be pumping.
    case prefixLimit(wait: Int)
    /// The caller's network has had its share of requests.
    case requestLimit(wait: Int)
    /// The day's messages are used up, or an operator has paused sending.
    case budget(wait: Int)
    /// The breaker of the block or the country has tripped, or an operator has blocked it.
    case destination(wait: Int)

    /// Microseconds.
    package var wait: Int {
        switch self {
        case .resendTooSoon(let wait), .phoneLimit(let wait), .networkLimit(let wait), .prefixLimit(let wait),
            .requestLimit(let wait), .budget(let wait), .destination(let wait):
            wait
        }
    }

    /// The same refusal with another wait.
    package func waiting(_ wait: Int) -> SendRefusal {
        switch self {
        case .resendTooSoon: .resendTooSoon(wait: wait)
        case .phoneLimit: .phoneLimit(wait: wait)
        case .networkLimit: .networkLimit(wait: wait)
        case .prefixLimit: .prefixLimit(wait: wait)
        case .requestLimit: .requestLimit(wait: wait)
        case .budget: .budget(wait: wait)
        case .destination: .destination(wait: wait)
        }
    }
}

/// What is known of one phone, and the rule of what may happen to it next: the pure twin of a row of `phones`.
///
/// The database decides, by `charge_message` and `judge_answer`; a test drives both with the same events and compares them.
package struct PhoneLine: Sendable, Hashable {
    /// Arrival times of the two phone limits, microseconds since 1970; 0 if never used.
    package var firstArrival = 0
    /// The same of the second limit.
    package var secondArrival = 0
    /// No message before.
    package var resendAt = Date.distantPast
    /// Wrong answers since the last right one.
    package var failures = 0
    /// No answer is judged before; `distantFuture` until an operator lifts it.
    package var lockedUntil = Date.distantPast
    /// The one challenge of each purpose that may be answered.
    package var named: [Purpose: ChallengeID] = [:]

    /// A phone that nobody has asked for yet.
    package init() {}

    /// Charges a message to the phone, its network and its prefix, or refuses and changes nothing.
    package mutating func charge(
        _ challenge: ChallengeID, purpose: Purpose, cooldown: Int, limits: SendLimits,
        network: inout Int, prefix: inout Int, at moment: Date
    ) -> SendRefusal? {
        let now = moment.microseconds
        if resendAt > moment { return .resendTooSoon(wait: resendAt.microseconds - now) }
        let wait = max(
            limits.phone?.wait(arrival: firstArrival, now: now) ?? 0,
            limits.phoneLonger?.wait(arrival: secondArrival, now: now) ?? 0)
        if wait > 0 { return .phoneLimit(wait: wait) }
        let networkWait = limits.network.wait(arrival: network, now: now)
        if networkWait > 0 { return .networkLimit(wait: networkWait) }
        let prefixWait = limits.fraudGuard == .off ? 0 : limits.prefix.wait(arrival: prefix, now: now)
        if prefixWait > 0, limits.fraudGuard == .enforce { return .prefixLimit(wait: prefixWait) }

        firstArrival = limits.phone?.charged(arrival: firstArrival, now: now) ?? max(firstArrival, now)
        secondArrival = limits.phoneLonger?.charged(arrival: secondArrival, now: now) ?? max(secondArrival, now)
        network = limits.network.charged(arrival: network, now: now)
        if limits.fraudGuard != .off, prefixWait <= 0 { prefix = limits.prefix.charged(arrival: prefix, now: now) }
        resendAt = moment.addingTimeInterval(TimeInterval(cooldown))
        named[purpose] = challenge
        return nil
    }

    /// A right answer: earlier failures are forgotten and the next message need not wait.
    package mutating func succeeded() {
        failures = 0
        lockedUntil = .distantPast
        resendAt = .distantPast
    }

    /// A wrong answer, and the lock that it may bring.
    package mutating func failed(at moment: Date, _ policy: LockPolicy) {
        failures += 1
        if failures >= policy.forGood {
            lockedUntil = .distantFuture
        } else if failures.isMultiple(of: policy.every) {
            lockedUntil = moment.addingTimeInterval(TimeInterval(policy.seconds))
        }
    }
}

/// When wrong answers lock a phone: guesses of codes stay below one in ten thousand (NIST SP 800-63B-4 §3.2.2).
package struct LockPolicy: Sendable, Hashable {
    /// After each this many consecutive failures the phone is locked for `seconds`.
    package let every: Int
    /// How long such a lock lasts.
    package let seconds: Int
    /// From this many on until an operator lifts it.
    package let forGood: Int

    /// 10 failures lock for 15 minutes, 100 until lifted.
    package static let standard = LockPolicy(every: 10, seconds: 900, forGood: 100)
}

extension Date {
    /// Whole microseconds since 1970, as the schema counts arrival times.
    package var microseconds: Int { Int((timeIntervalSince1970 * 1_000_000).rounded()) }
}
