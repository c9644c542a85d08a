import Synchronization

/// Whether the service can do its work now; a hundred probes at once cost one look.
actor Readiness {
    struct Report: Sendable {
        /// By name, in the order given.
        let checks: [(name: String, isRequired: Bool, passes: Bool)]
        var isReady: Bool { checks.allSatisfy { $0.passes || !$0.isRequired } }
        var isDegraded: Bool { !checks.allSatisfy(\.passes) }
    }

    private let checks: [HealthCheck]
    private var running: Task<Report, Never>?

    init(_ checks: [HealthCheck]) {
        self.checks = checks
    }

    func report() async -> Report {
        if let running { return await running.value }
        let checks = checks
        let task = Task {
            await withTaskGroup(of: (Int, Bool).self) { group in
                for (index, check) in checks.enumerated() {
                    group.addTask { (index, await check.passes()) }
                }
                var outcomes = [Bool](repeating: false, count: checks.count)
                for await (index, passes) in group { outcomes[index] = passes }
                return Report(checks: zip(checks, outcomes).map { ($0.name, $0.isRequired, $1) })
            }
        }
        running = task
        defer { running = nil }
        return await task.value
    }
}

/// Resumes a continuation with whichever outcome is first.
final class FirstOutcome: Sendable {
    let continuation = Mutex<CheckedContinuation<Bool, Never>?>(nil)

    /// Whether this outcome was the first.
    @discardableResult func settle(_ outcome: Bool) -> Bool {
        let waiting = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        waiting?.resume(returning: outcome)
        return waiting != nil
    }
}
