import Logging
import ServiceLifecycle

/// Finishes intents that were left behind by a crash or by a service that gave no answer. Runs on every instance.
struct FinishIntents: Service {
    let intents: IntentStore
    let perform: PerformAction
    let logger: Logger
    /// Seconds after which an intent counts as left behind; a request is over by then.
    var patience = 10
    var interval = Duration.seconds(5)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var rounds = 0
            while !Task.isCancelled {
                try? await Task.sleep(for: interval)
                do {
                    try await finish()
                    rounds += 1
                    if rounds % 720 == 0 { _ = try await intents.forget() }
                } catch {
                    logger.warning("acts of operators wait to be finished", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    /// One round; returns how many it finished. Throws `PostgresError`, `NotRecorded` and `Unconfirmed` at its end: one that
    /// cannot be finished keeps no other waiting.
    @discardableResult func finish() async throws -> Int {
        var count = 0
        var failure: (any Error)?
        for (intent, isHopeless) in try await intents.stale(olderThan: patience, limit: 50) {
            do {
                if try await finish(intent, isHopeless: isHopeless) { count += 1 }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return count
    }

    /// Whether it is finished now.
    private func finish(_ intent: Intent, isHopeless: Bool) async throws -> Bool {
        guard case .away = try await perform.run(intent, trace: nil) else { return true }
        guard isHopeless else { return false }
        _ = try await intents.finish(intent, as: .unknown)
        logger.error("an act of an operator got no answer", metadata: ["intent": "\(intent.id)"])
        return true
    }
}
