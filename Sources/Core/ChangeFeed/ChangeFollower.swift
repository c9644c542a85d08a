import HTTPClient
package import HTTPServer
package import Identity
package import Logging
import Metrics
import ServiceLifecycle
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Whom a piece of the feed is about, for whoever remembers users.
package enum ChangedUsers: Sendable, Hashable {
    /// These have changed: their profile, status or phone, their sessions, or when they were last here.
    case some(Set<UserID>)
    /// The feed had to begin anew: any may have changed.
    case all
}

/// Follows the feed of user-service, and keeps a ``RevocationSet`` current by it.
///
/// What it has read stays when user-service is away; it asks again until there is an answer, and goes on where it was.
package final class ChangeFollower: Service {
    /// What it keeps current.
    package let revocations = RevocationSet()
    private let userService: UserServiceClient
    private let onChange: @Sendable (ChangedUsers) async -> Void
    private let logger: Logger
    private let hasBegun = Atomic<Bool>(false)

    /// How long user-service holds an answer back when there is nothing to tell, in seconds: with each answer the set is
    /// known to be complete again, so this bounds its age.
    static let wait = 1
    /// What happens within this time of an answer comes with the next one.
    static let burst = Duration.milliseconds(20)
    static let timeout = Duration.seconds(4)
    private static let sweepInterval = Duration.seconds(30)

    /// - Parameter onChange: is told of changed users after the set knows of them, one piece after the other.
    package init(
        userService: UserServiceClient, logger: Logger,
        onChange: @escaping @Sendable (ChangedUsers) async -> Void = { _ in }
    ) {
        self.userService = userService
        self.logger = logger
        self.onChange = onChange
    }

    /// Passes once the set is loaded, so that no instance is given requests that it cannot judge yet; and once user-service was
    /// found to be away, for there is no telling for how long, and most of what is asked for needs no judgement.
    package var readiness: HealthCheck {
        HealthCheck("revocations") { [self] in
            guard hasBegun.load(ordering: .relaxed) else { throw FeedUnavailable() }
        }
    }

    /// Follows until graceful shutdown.
    package func run() async throws {
        await cancelWhenGracefulShutdown { await self.follow() }
    }

    private func follow() async {
        var cursor: String?
        var failures = 0
        var sweptAt = ContinuousClock.now
        while !Task.isCancelled {
            do {
                let answer = try await ask(cursor)
                cursor = answer.cursor
                if !answer.more { hasBegun.store(true, ordering: .relaxed) }
                if failures > 0 { logger.notice("The change feed flows again") }
                failures = 0
                if !answer.more, !answer.changes.isEmpty { try? await Task.sleep(for: Self.burst) }
            } catch {
                if Task.isCancelled { break }
                hasBegun.store(true, ordering: .relaxed)
                // A cursor that is refused, after the keys of both services were changed, is worth nothing.
                if error is FeedRefused { cursor = nil }
                if failures == 0 {
                    logger.warning(
                        "The change feed cannot be read; trying until it can", metadata: ["error": "\(error)"])
                }
                failures += 1
                try? await Task.sleep(for: .milliseconds(min(100 * failures, 1000)))
            }
            record()
            if ContinuousClock.now - sweptAt > Self.sweepInterval {
                revocations.sweep()
                sweptAt = .now
            }
        }
    }

    /// Asks once, and takes in what comes.
    private func ask(_ cursor: String?) async throws -> FeedAnswer {
        let asked = ContinuousClock.now
        // Base64url needs no escaping.
        let path = "/internal/changes" + (cursor.map { "?cursor=\($0)&wait=\(Self.wait)" } ?? "")
        let response = try await userService.get(path, timeout: Self.timeout)
        guard response.status == 200 else {
            if response.status == 400 { throw FeedRefused() }
            throw FeedUnavailable()
        }
        let answer = try JSONDecoder().decode(FeedAnswer.self, from: Data(response.body))
        let changes = try answer.changes.compactMap { try $0.revoking() }
        // The request was there no sooner than it was sent, and the state was so when it had waited for so long.
        let waited = Duration.milliseconds(min(max(answer.waited, 0), Self.wait * 1000))
        revocations.apply(changes, asOf: answer.more ? nil : min(asked + waited, .now))
        if answer.reset {
            await onChange(.all)
        } else {
            let users = Set(answer.changes.compactMap(\.userID))
            if !users.isEmpty { await onChange(.some(users)) }
        }
        return answer
    }

    private func record() {
        if let age = revocations.age() { Gauge(label: "revocation_lag_seconds").record(age / .seconds(1)) }
        Gauge(label: "revocation_set_size").record(revocations.count)
    }
}

/// There is no feed, or it is too old.
package struct FeedUnavailable: Error {
    package init() {}
}

/// The feed does not know the cursor.
struct FeedRefused: Error {}
