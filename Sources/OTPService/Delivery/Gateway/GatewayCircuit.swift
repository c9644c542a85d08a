/// The rule of the circuit between us and the gateway: pure values, the time is handed in.
///
/// - *closed*: everything may go out. A refusal that concerns every message (key, template, address, balance) opens it.
/// - *open*: nothing goes out but one message as a probe after a pause that doubles from 2 s to a minute; the rest waits
///   in the outbox. The first message that the gateway takes closes it.
///
/// A message that was refused, then saw others accepted, and is refused again is alone in its trouble: it fails, and opens
/// nothing. Otherwise one odd number could keep all others waiting.
package struct GatewayCircuit: Sendable {
    package typealias Instant = ContinuousClock.Instant

    /// Why and since when nothing goes out.
    package struct Opening: Sendable {
        /// What the gateway said last.
        package fileprivate(set) var refusal: GatewayRefusal
        package let since: Instant
        /// When the next message may try.
        package fileprivate(set) var nextProbe: Instant
        fileprivate var pause: Duration
        /// A message is on its way to find out; after this moment it counts as lost.
        fileprivate var probeLost: Instant?
        /// Found by the self-test, so that a self-test may also end it.
        fileprivate let bySelfTest: Bool
    }

    /// How many messages may go out now.
    package enum Admission: Sendable, Hashable {
        case all
        case oneProbe
        case nothing
    }

    /// What an outcome did to the circuit.
    package enum Change: Sendable, Hashable {
        case none
        case opened
        case closed
    }

    /// Nil while closed.
    package private(set) var opening: Opening?
    /// When the gateway last took a message.
    package private(set) var lastSuccess: Instant?
    /// Attempts in a row without any answer, and when they began.
    package private(set) var silence: (count: Int, since: Instant)?

    private var successes = 0
    private var refused: [String: Refused] = [:]

    private struct Refused {
        let successes: Int
        var isAlone = false
    }

    private static let firstPause = Duration.seconds(2)
    private static let longestPause = Duration.seconds(60)
    /// Longer than two attempts with a call take.
    private static let probeLife = Duration.seconds(40)
    /// Beyond this many remembered messages all are forgotten; those that meet a refusal again then open the circuit again.
    private static let memory = 4096

    /// A closed circuit.
    package init() {}

    /// Asked before messages are taken from the outbox; `oneProbe` is given once, until its outcome is noted or it is lost.
    package mutating func admission(at now: Instant) -> Admission {
        guard let opening else { return .all }
        if let lost = opening.probeLost, now < lost { return .nothing }
        guard now >= opening.nextProbe else { return .nothing }
        self.opening?.probeLost = now + Self.probeLife
        return .oneProbe
    }

    /// The probe was not used: nothing was due.
    package mutating func probeUnused() { opening?.probeLost = nil }

    /// What the gateway made of a message, which is named by its reference.
    package mutating func note(_ outcome: GatewayOutcome, of message: String, at now: Instant) -> Change {
        switch outcome {
        case .accepted, .duplicate:
            silence = nil
            lastSuccess = now
            successes += 1
            refused[message] = nil
            guard opening != nil else { return .none }
            opening = nil
            return .closed
        case .refused(let refusal) where refusal.kind.concernsAll:
            silence = nil
            return note(refusal, of: message, at: now)
        case .refused, .nothingToRepeat:
            silence = nil
        case .transient, .unknown:
            silence = (count: (silence?.count ?? 0) + 1, since: silence?.since ?? now)
        }
        // Neither taken nor refused for a reason of the account: the probe has found out nothing.
        if let opening, opening.probeLost != nil {
            self.opening?.probeLost = nil
            self.opening?.nextProbe = now + opening.pause
        }
        return .none
    }

    private mutating func note(_ refusal: GatewayRefusal, of message: String, at now: Instant) -> Change {
        let earlier = refused[message]
        if refused.count >= Self.memory { refused = [:] }
        refused[message] = Refused(successes: successes)
        guard let opening else {
            if let earlier, earlier.successes < successes {
                refused[message]?.isAlone = true
                return .none
            }
            open(refusal, bySelfTest: false, at: now)
            return .opened
        }
        self.opening?.refusal = refusal
        // Messages that were on their way when it opened say nothing new.
        guard opening.probeLost != nil else { return .none }
        let pause = min(opening.pause * 2, Self.longestPause)
        self.opening?.pause = pause
        self.opening?.nextProbe = now + pause
        self.opening?.probeLost = nil
        return .none
    }

    private mutating func open(_ refusal: GatewayRefusal, bySelfTest: Bool, at now: Instant) {
        opening = Opening(
            refusal: refusal, since: now, nextProbe: now + Self.firstPause, pause: Self.firstPause, probeLost: nil,
            bySelfTest: bySelfTest)
    }

    /// What a self-test found; nil is no fault. Only a circuit that a self-test opened is closed by one.
    package mutating func noteSelfTest(_ refusal: GatewayRefusal?, at now: Instant) -> Change {
        if let refusal {
            if opening != nil { return .none }
            open(refusal, bySelfTest: true, at: now)
            return .opened
        }
        guard opening?.bySelfTest == true else { return .none }
        opening = nil
        return .closed
    }

    /// How long a message that was just refused waits; nil if it is alone in its trouble. A little longer than until the
    /// next probe, so that another message is the probe if there is one.
    package func pause(ofRefused message: String, at now: Instant) -> Duration? {
        if refused[message]?.isAlone == true { return nil }
        guard let opening else { return .milliseconds(500) }
        return max(opening.nextProbe - now, .zero) + .seconds(1)
    }
}
