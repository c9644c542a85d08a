import Synchronization

/// One thing that the service needs in order to do its work, or that is worth showing beside it.
package struct HealthCheck: Sendable {
    /// As it is shown, `database`.
    package let name: String
    /// Without it the service cannot do its work; otherwise a failure only shows, as `degraded`.
    package let isRequired: Bool
    let check: @Sendable () async throws -> Void

    /// - Parameter check: throws when the thing is away; has two seconds.
    package init(_ name: String, isRequired: Bool = true, _ check: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.isRequired = isRequired
        self.check = check
    }

    /// Runs the check. It has failed if it has not succeeded by the end of its time, even if it does not heed its cancellation.
    func passes(within time: Duration = .seconds(2)) async -> Bool {
        let outcome = FirstOutcome()
        return await withCheckedContinuation { continuation in
            outcome.continuation.withLock { $0 = continuation }
            let work = Task {
                do {
                    try await check()
                    outcome.settle(true)
                } catch {
                    outcome.settle(false)
                }
            }
            Task {
                try? await Task.sleep(for: time)
                if outcome.settle(false) { work.cancel() }
            }
        }
    }
}
