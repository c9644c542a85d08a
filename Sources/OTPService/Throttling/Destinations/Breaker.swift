package import Foundation

/// When a destination is taken for one that somebody pumps messages to.
package struct BreakerPolicy: Sendable, Hashable {
    /// Sends within the window that a judgement needs.
    package var leastSends = 40
    /// Below this share of verified sends the breaker trips.
    package var leastConversion = 0.1
    /// Seconds that are looked back on for a country.
    package var window = 3600
    /// The same for a block of numbers. Its own limit lets twenty sends an hour through (`OTP_SENDS_PER_PREFIX`), with a burst of
    /// as many: an hour alone would hardly ever have enough of them to judge by.
    package var blockWindow = 3 * 3600
    /// Seconds after which a send counts, verified or not: most people have typed their code by then.
    package var ripeAfter = 120
    /// Seconds until the first trials; doubled each time, a day at most.
    package var coolOff = 900
    /// Sends that a half-open breaker lets through.
    package var trials = 5
    /// Seconds after which trials that were never counted are given anew.
    package var trialLife = 600

    /// The defaults.
    package init() {}

    /// Whether so few of the sends were verified that somebody may be pumping.
    package func condemns(sends: Int, verified: Int) -> Bool {
        sends >= leastSends && Double(verified) < Double(sends) * leastConversion
    }
}

/// The breaker of one destination, a block of numbers or a country: closed lets sends through, open refuses them, half-open
/// lets a few through and waits for what becomes of them.
///
/// Pure: `DestinationEvaluator` moves it, by the counts and the clock of the database, on one instance at a time.
package struct Breaker: Sendable, Hashable {
    /// The three states.
    package enum State: String, Sendable, CaseIterable {
        case closed
        case open
        case halfOpen = "half_open"
    }

    package var state = State.closed
    /// Since when it is in this state.
    package var since: Date
    /// When it changes by itself; of a half-open one, when trials are given anew.
    package var until: Date?
    /// How often it has tripped without closing in between.
    package var trips = 0
    /// Sends that it may still let through while half-open.
    package var trialsLeft = 0
    /// Sends that it let through and that count by now.
    package var trialSends = 0
    /// Those of them that were verified.
    package var trialVerified = 0

    /// One that lets everything through.
    package init(since: Date) { self.since = since }

    /// Moves it on by what is known now; true if it has changed its state, so that counting begins anew.
    package mutating func evaluate(sends: Int, verified: Int, at now: Date, _ policy: BreakerPolicy) -> Bool {
        switch state {
        case .closed:
            guard policy.condemns(sends: sends, verified: verified) else { return false }
            trip(at: now, policy)
            return true
        case .open:
            guard let until, until <= now else { return false }
            state = .halfOpen
            since = now
            trialSends = 0
            trialVerified = 0
            giveTrials(policy.trials, at: now, policy)
            return true
        case .halfOpen:
            if trialVerified > 0, Double(trialVerified) >= Double(trialSends) * policy.leastConversion {
                self = Breaker(since: now)
                return true
            }
            if trialSends >= policy.trials {
                trip(at: now, policy)
                return true
            }
            // A trial that another limit refused was never sent: nobody will count it.
            if let until, until <= now { giveTrials(policy.trials - trialSends, at: now, policy) }
            return false
        }
    }

    private mutating func trip(at now: Date, _ policy: BreakerPolicy) {
        trips += 1
        state = .open
        since = now
        let span = min(86_400, policy.coolOff * (1 << min(trips - 1, 10)))
        until = now.addingTimeInterval(TimeInterval(span))
        trialsLeft = 0
    }

    private mutating func giveTrials(_ count: Int, at now: Date, _ policy: BreakerPolicy) {
        trialsLeft = count
        until = now.addingTimeInterval(TimeInterval(policy.trialLife))
    }
}
