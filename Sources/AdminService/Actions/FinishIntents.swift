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

    /// One round; returns how many it finished. Throws `PostgresError`.
    @discardableResult func finish() async throws -> Int {
        var count = 0
        for (intent, isHopeless) in try await intents.stale(olderThan: patience, limit: 50) {
            if case .away = try await perform.run(intent, trace: nil) {
                guard isHopeless else { continue }
                _ = try await intents.finish(intent, as: .unknown)
                logger.error("an act of an operator got no answer", metadata: ["intent": "\(intent.id)"])
            }
            count += 1
        }
        return count
    }
}
