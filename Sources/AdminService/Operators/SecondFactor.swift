#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// How many wrong codes an operator may enter.
///
/// A phone proof lives five minutes and a lock fifteen, so that a proof is worth at most five guesses; without a
/// wrong code it is not used up until it has made a session. All in all a hundred wrong codes in a row lock for good
/// (NIST SP 800-63B-4 §3.2.2): the chance to have guessed one by then is 3 in 10,000.
struct SecondFactorLimits: Sendable {
    /// Wrong codes in a row that lock for a while; each further so many lock again.
    var failuresToLock = 5
    /// Seconds of such a lock.
    var lockSeconds = 900
    /// Wrong codes in a row that lock until the operator is enrolled anew.
    var failuresToDisable = 100
}

/// The rule of the second factor: what becomes of a code, given what came before.
///
/// The database applies the same rule in the statement of ``SignInStore``; a test drives both with the same events.
struct SecondFactor: Sendable, Equatable {
    enum Lock: Sendable, Equatable {
        /// Codes are looked at.
        case open
        /// Too many wrong ones: none is looked at, not even a right one, before this moment.
        case until(Date)
        /// Far too many: none is looked at until the operator is enrolled anew.
        case forGood
    }

    enum Outcome: Sendable, Equatable {
        /// The code was right and had not been used; it and all before it are used now.
        case accepted
        /// The code was wrong or had been used.
        case incorrect
        /// The code was not looked at.
        case locked
    }

    /// The step of the last code accepted.
    var lastStep: Int64 = 0
    /// Wrong codes since then.
    var failures = 0
    var lock = Lock.open

    /// Judges a code by the step whose code it is, nil if of none near `now`; or by whether it is a recovery code that was
    /// not used, which uses no step up.
    mutating func present(
        step: Int64?, isUnusedRecoveryCode: Bool = false, now: Date, limits: SecondFactorLimits
    ) -> Outcome {
        switch lock {
        case .forGood: return .locked
        case .until(let end) where end > now: return .locked
        case .until, .open: break
        }
        if let step, step > lastStep {
            self = SecondFactor(lastStep: step)
            return .accepted
        }
        if isUnusedRecoveryCode {
            self = SecondFactor(lastStep: lastStep)
            return .accepted
        }
        failures += 1
        if failures >= limits.failuresToDisable {
            lock = .forGood
        } else if failures % limits.failuresToLock == 0 {
            lock = .until(now + Double(limits.lockSeconds))
        }
        return .incorrect
    }

    /// After a wrong code: how many more are looked at before the next lock.
    static func attemptsLeft(failures: Int, limits: SecondFactorLimits) -> Int {
        let untilLock = (limits.failuresToLock - failures % limits.failuresToLock) % limits.failuresToLock
        return max(0, min(untilLock, limits.failuresToDisable - failures))
    }
}
