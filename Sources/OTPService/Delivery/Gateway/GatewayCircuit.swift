/// The rule of the circuit between us and the gateway: pure values, the time is handed in.
///
/// - *closed*: everything may go out. A refusal that concerns every message (key, template, address, balance) opens it; if the
///   gateway has taken a message within the last ten seconds, only the third in a row does.
/// - *open*: nothing goes out but five messages as probes after a pause that doubles from a quarter of a second to a minute; the
///   rest waits in the outbox. The first message that the gateway takes closes it.
///
/// A message that was refused, then saw others accepted, and is refused again is alone in its trouble: it fails, and opens
/// nothing. Otherwise odd numbers, which the gateway refuses with a code that concerns all, could keep all others waiting; so
/// probes are those first that were tried least, too.
package struct GatewayCircuit: Sendable {
    package typealias Instant = ContinuousClock.Instant

    /// Why and since when nothing goes out.
    package struct Opening: Sendable {
        /// What the gateway said last.
        package fileprivate(set) var refusal: GatewayRefusal
        package let since: Instant
        /// When the next messages may try.
        package fileprivate(set) var nextProbe: Instant
        fileprivate var pause: Duration
        /// Probes are out, or being chosen; after this moment they count as lost.
        fileprivate var probesLost: Instant?
        /// The messages of which no outcome is known yet.
        fileprivate var probes: Set<String> = []
        fileprivate var aProbeWasRefused = false
        /// Found by the self-test, so that a self-test may also end it.
        fileprivate let bySelfTest: Bool
    }

    /// How many messages may go out now.
    package enum Admission: Sendable, Hashable {
        case all
        case probes(Int)
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
    /// Attempts in a row that the gateway said nothing about; nil after an answer.
    package private(set) var silence: GatewaySilence?

    private var successes = 0
    private var refusalsInARow = 0
    private var refused: [String: Refused] = [:]

    private struct Refused {
        let successes: Int
        var isAlone = false
    }

    private static let firstPause = Duration.milliseconds(250)
    private static let longestPause = Duration.seconds(60)
    /// As many as are odd at once without being noticed.
    private static let probes = 5
    /// For so long after a success a refusal may be the message's own fault.
    private static let trust = Duration.seconds(10)
    private static let refusalsToOpen = 3
    /// Longer than two attempts with a call take.
    private static let probeLife = Duration.seconds(40)
    /// Beyond this many remembered messages all are forgotten; those that meet a refusal again then open the circuit again.
    private static let memory = 4096

    /// A closed circuit.
    package init() {}

    /// Asked before messages are taken from the outbox; `probes` are given once, until their outcomes are noted or they are lost.
    package mutating func admission(at now: Instant) -> Admission {
        guard let opening else { return .all }
        if let lost = opening.probesLost, now < lost { return .nothing }
        guard now >= opening.nextProbe else { return .nothing }
        self.opening?.probesLost = now + Self.probeLife
        self.opening?.probes = []
        self.opening?.aProbeWasRefused = false
        return .probes(Self.probes)
    }

    /// The messages that were taken as probes, by their references; none if nothing was due.
    package mutating func probing(_ messages: [String]) {
        guard opening?.probesLost != nil else { return }
        opening?.probes = Set(messages)
        if messages.isEmpty { opening?.probesLost = nil }
    }

    /// What the gateway made of a message, which is named by its reference.
    package mutating func note(_ outcome: GatewayOutcome, of message: String, at now: Instant) -> Change {
        switch outcome {
        case .accepted, .duplicate:
            silence = nil
            lastSuccess = now
            successes += 1
            refusalsInARow = 0
            refused[message] = nil
            guard opening != nil else { return .none }
            opening = nil
            return .closed
        case .refused(let refusal) where refusal.kind.concernsAll:
            silence = nil
            return note(refusal, of: message, at: now)
        case .refused, .nothingToRepeat:
            silence = nil
        case .transient(let reason, _), .unknown(let reason):
            silence = GatewaySilence(
                count: (silence?.count ?? 0) + 1, since: silence?.since ?? now, reason: reason)
        }
        settle(message, wasRefused: false, at: now)
        return .none
    }

    private mutating func note(_ refusal: GatewayRefusal, of message: String, at now: Instant) -> Change {
        let earlier = refused[message]
        if refused.count >= Self.memory { refused = [:] }
        refused[message] = Refused(successes: successes)
        if opening != nil {
            opening?.refusal = refusal
            settle(message, wasRefused: true, at: now)
            return .none
        }
        if let earlier, earlier.successes < successes {
            refused[message]?.isAlone = true
            return .none
        }
        refusalsInARow += 1
        if let lastSuccess, now - lastSuccess < Self.trust, refusalsInARow < Self.refusalsToOpen { return .none }
        open(refusal, bySelfTest: false, at: now)
        return .opened
    }

    /// A probe has an outcome; after the last one the next pause begins. Messages that were on their way when it opened say nothing
    /// new, and a probe that was neither taken nor refused has found out nothing: the pause grows by refusals only.
    private mutating func settle(_ message: String, wasRefused: Bool, at now: Instant) {
        guard opening?.probes.remove(message) != nil else { return }
        if wasRefused { opening?.aProbeWasRefused = true }
        guard let opening, opening.probes.isEmpty else { return }
        let pause = opening.aProbeWasRefused ? min(opening.pause * 2, Self.longestPause) : opening.pause
        self.opening?.pause = pause
        self.opening?.nextProbe = now + pause
        self.opening?.probesLost = nil
    }

    private mutating func open(_ refusal: GatewayRefusal, bySelfTest: Bool, at now: Instant) {
        opening = Opening(
            refusal: refusal, since: now, nextProbe: now + Self.firstPause, pause: Self.firstPause,
            bySelfTest: bySelfTest)
    }

    /// What a self-test found; nil is no fault. Only a circuit that a self-test opened is closed by one, but whatever it found,
    /// the gateway has answered.
    package mutating func noteSelfTest(_ refusal: GatewayRefusal?, at now: Instant) -> Change {
        silence = nil
        if let refusal {
            if opening != nil { return .none }
            open(refusal, bySelfTest: true, at: now)
            return .opened
        }
        guard opening?.bySelfTest == true else { return .none }
        opening = nil
        return .closed
    }

    /// In one word: a circuit that is open says more than silence does.
    package var state: GatewayStatus.State {
        if opening != nil { return .open }
        return silence?.isLong == true ? .unreachable : .closed
    }

    /// How long a message that was just refused waits; nil if it is alone in its trouble.
    package func pause(ofRefused message: String, at now: Instant) -> Duration? {
        if refused[message]?.isAlone == true { return nil }
        guard let opening else { return .milliseconds(500) }
        return max(opening.nextProbe - now, .milliseconds(250))
    }
}
