/// What a process holds of one network's allowance of requests: the rule beside `lease_requests`.
///
/// Units are charged in PostgreSQL before they are used, so that what all processes let through together never exceeds the
/// limit. What a network does not use within a minute is lost to it, a sixteenth of its allowance at most.
struct RequestAllowance: Sendable, Hashable {
    /// What happens with a request.
    enum Step: Hashable, Sendable {
        case admitted
        /// Microseconds.
        case refused(wait: Int)
        /// Units have to be asked for, this many to spare.
        case ask(spare: Int)
    }

    /// Charged and not used.
    private(set) var units = 0
    /// When they are lost; nil before any were charged.
    private(set) var expires: ContinuousClock.Instant?
    /// What the network had left in the database when units were charged last.
    private(set) var remaining = 0
    private var spare = 0
    private var refusedUntil: ContinuousClock.Instant?
    private var ends: ContinuousClock.Instant?

    /// How long units are kept.
    static let life = Duration.seconds(60)
    /// The longest that a refusal is answered from here.
    static let memory = Duration.milliseconds(250)

    /// A request has come.
    mutating func take(limit: RateLimit, now: ContinuousClock.Instant) -> Step {
        let isFresh = expires.map { now < $0 } ?? false
        if units > 0, isFresh {
            units -= 1
            return .admitted
        }
        if let refusedUntil, let ends, now < refusedUntil { return .refused(wait: (ends - now).wholeMicroseconds) }
        // The busier a network is the more it gets at once.
        let isBusy = units == 0 && isFresh
        units = 0
        spare = isBusy ? min(max(1, spare * 2), limit.count / 16) : 0
        return .ask(spare: spare)
    }

    /// The database has charged `count` units, one of which may be in use already.
    mutating func granted(_ count: Int, remaining: Int, now: ContinuousClock.Instant) {
        units += count
        self.remaining = remaining
        expires = now + Self.life
        refusedUntil = nil
    }

    /// The database has nothing to give for so many microseconds.
    mutating func refused(wait: Int, now: ContinuousClock.Instant) {
        let end = now + .microseconds(max(0, wait))
        ends = end
        refusedUntil = min(end, now + Self.memory)
    }
}
