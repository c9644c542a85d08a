import Logging
import Metrics
import ServiceLifecycle
import Synchronization

/// Renews the board every second, and every ten seconds has destinations counted and their breakers moved.
package struct DestinationWatch: Service {
    let board: DestinationBoard
    let store: DestinationStore
    let evaluator: DestinationEvaluator
    /// With the guard off nothing is counted and no breaker moves.
    let counts: Bool
    let gauges = DestinationGauges()
    let logger: Logger

    /// Works until it is told to stop.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var turn = 0
            while !Task.isCancelled {
                await renew()
                if counts, turn % 10 == 0 { await evaluate(purges: turn % 600 == 0) }
                turn += 1
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// Takes over what the database says; what was known stays while it cannot be reached.
    package func renew() async {
        do {
            let (entries, isPaused) = try await store.board()
            board.renew(entries, isPaused: isPaused)
            gauges.record(entries, isPaused: isPaused)
        } catch {
            logger.debug("destinations not read", metadata: ["error": "\(error)"])
        }
    }

    private func evaluate(purges: Bool) async {
        do {
            if let pass = try await evaluator.evaluate() {
                gauges.record(pass.counts)
                for move in pass.moves { log(move) }
            }
            if purges { try await evaluator.purge() }
        } catch {
            logger.warning("destinations not evaluated", metadata: ["error": "\(error)"])
        }
    }
}

extension DestinationWatch {
    /// A block of numbers is named without its last four digits, which is no phone number.
    private func log(_ move: DestinationEvaluator.Move) {
        let metadata: Logger.Metadata = [
            "destination": "\(move.count.name)", "from": "\(move.from.rawValue)", "to": "\(move.to.rawValue)",
            "sends": "\(move.count.sends)", "verified": "\(move.count.verified)",
        ]
        if move.to == .open {
            logger.warning("a destination's breaker opened: too few of its codes are verified", metadata: metadata)
        } else {
            logger.notice("a destination's breaker moved", metadata: metadata)
        }
    }
}

/// What the metrics tell of destinations.
///
/// A block of numbers is named without its last four digits, which is no phone number. At most 64 destinations, the first that
/// had enough sends to be judged, have a conversion: a label with a value for each block would never end.
package final class DestinationGauges: Sendable {
    private let named = Mutex<Set<String>>([])

    func record(_ entries: [String: DestinationBoard.Entry], isPaused: Bool) {
        for kind in ["prefix", "country"] {
            let states = entries.filter { $0.key.hasPrefix("+") == (kind == "prefix") }.values.map(\.label)
            for state in ["open", "half-open", "blocked", "allowed"] {
                Gauge(label: "otp_destinations", dimensions: [("kind", kind), ("state", state)])
                    .record(states.count { $0 == state })
            }
        }
        Gauge(label: "otp_sending_paused").record(isPaused ? 1 : 0)
    }

    func record(_ counts: [DestinationEvaluator.Count]) {
        for count in counts where count.sends >= 40 {
            let isNamed = named.withLock { named in
                if named.count < 64 { named.insert(count.name) }
                return named.contains(count.name)
            }
            guard isNamed else { continue }
            Gauge(label: "otp_conversion_ratio", dimensions: [("prefix", count.name)])
                .record(Double(count.verified) / Double(count.sends))
        }
    }
}

extension DestinationBoard.Entry {
    /// What counts of it: the operator's word before the breaker's.
    fileprivate var label: String {
        if let override { return override.rawValue }
        return state == .halfOpen ? "half-open" : state.rawValue
    }
}
