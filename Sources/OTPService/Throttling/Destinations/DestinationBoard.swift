package import Identity
import Postgres
import Synchronization

/// What is known in this process of destinations that are not simply let through, and of the switch that stops all sending.
///
/// ``DestinationWatch`` renews it every second, so that what an operator or another instance decides holds everywhere within
/// a second or two, and a refused send costs no SQL. Only a trial of a half-open breaker asks the database.
package final class DestinationBoard: Sendable {
    /// One destination that is not simply let through.
    package struct Entry: Sendable, Hashable {
        let state: Breaker.State
        /// When an open breaker lets trials through.
        let opensAt: ContinuousClock.Instant?
        let override: DestinationOverride?

        /// What the database says, as of now.
        package init(state: Breaker.State, opensAt: ContinuousClock.Instant?, override: DestinationOverride?) {
            self.state = state
            self.opensAt = opensAt
            self.override = override
        }
    }

    /// What happens with a send.
    package enum Verdict: Sendable, Hashable {
        case pass
        /// Microseconds. `always`: an operator said so, whatever the guard does.
        case refuse(wait: Int, always: Bool)
        /// One trial of each of these has to be taken.
        case trial([String])
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var isPaused = false
        /// Whether the database has been asked at all.
        var isKnown = false
    }

    private let store: DestinationStore
    private let fraudGuard: SendLimits.FraudGuard
    private let state = Mutex(State())

    /// A board on which nothing is refused yet.
    package init(store: DestinationStore, fraudGuard: SendLimits.FraudGuard) {
        self.store = store
        self.fraudGuard = fraudGuard
    }

    /// Takes over what the database says.
    package func renew(_ entries: [String: Entry], isPaused: Bool) {
        state.withLock { $0 = State(entries: entries, isPaused: isPaused, isKnown: true) }
    }

    /// A process that has just started asks before it lets anything through, or it would send what an operator has stopped.
    private func prepare() async throws {
        if state.withLock(\.isKnown) { return }
        let (entries, isPaused) = try await store.board()
        renew(entries, isPaused: isPaused)
    }

    /// The refusal of all sends while an operator has paused them.
    package var pause: SendRefusal? { state.withLock(\.isPaused) ? .budget(wait: 60_000_000) : nil }

    /// Why nothing may be sent to this phone; nil if something may. Throws `PostgresError`.
    package func refusal(of phone: PhoneNumber, _ metrics: ChallengeMetrics) async throws -> SendRefusal? {
        try await prepare()
        if let pause { return pause }
        switch verdict(phone) {
        case .pass: return nil
        case .refuse(let wait, let always):
            if always || fraudGuard == .enforce { return .destination(wait: wait) }
            if fraudGuard == .record { metrics.throttled("destination", enforced: false) }
            return nil
        case .trial(let names):
            guard fraudGuard == .enforce else { return nil }
            for name in names where try await !store.takeTrial(name) { return .destination(wait: Self.trialWait) }
            return nil
        }
    }

    /// Why nothing may be sent again for this challenge; nil if something may. A trial was its first message. Throws
    /// `PostgresError`.
    package func refusal(ofResendFor challenge: ChallengeID) async throws -> SendRefusal? {
        try await prepare()
        if let pause { return pause }
        // Nearly always nothing is held back, and whose challenge it is need not be asked.
        guard state.withLock({ !$0.entries.isEmpty }), let phone = try await store.phone(of: challenge) else {
            return nil
        }
        switch verdict(phone) {
        case .refuse(let wait, let always) where always || fraudGuard == .enforce: return .destination(wait: wait)
        case .pass, .refuse, .trial: return nil
        }
    }

    /// What the entries say: the operator's word for the longest beginning of the number, then a country that is blocked, then
    /// the breakers of block and country. A country that is allowed has no breaker of its own; its blocks keep theirs.
    package func verdict(_ phone: PhoneNumber, now: ContinuousClock.Instant = .now) -> Verdict {
        let entries = state.withLock(\.entries)
        if entries.isEmpty { return .pass }
        var beginning = phone.e164[...]
        while beginning.utf8.count >= 2 {
            if let verdict = entries[String(beginning)]?.override?.verdict { return verdict }
            beginning = beginning.dropLast()
        }
        let country = phone.region.flatMap { entries[$0]?.override }
        if country == .blocked { return DestinationOverride.blocked.verdict }
        var trials: [String] = []
        for name in [phone.prefix, country == nil ? phone.region : nil].compactMap({ $0 }) {
            guard let entry = entries[name] else { continue }
            switch entry.state {
            case .closed: continue
            case .open:
                let wait = entry.opensAt.map { max(1_000_000, ($0 - now).wholeMicroseconds) } ?? Self.trialWait
                return .refuse(wait: wait, always: false)
            case .halfOpen: trials.append(name)
            }
        }
        return trials.isEmpty ? .pass : .trial(trials)
    }

    /// One minute: trials are judged two minutes after they were sent.
    private static let trialWait = 60_000_000
}

extension DestinationOverride {
    fileprivate var verdict: DestinationBoard.Verdict {
        switch self {
        case .allowed: .pass
        // An hour: operators do not lift blocks by the minute.
        case .blocked: .refuse(wait: 3_600_000_000, always: true)
        }
    }
}
