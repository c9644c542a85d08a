import HTTPClient
package import Logging
import ServiceLifecycle
import Synchronization
package import Tokens

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The public keys that user-service publishes (RFC 7517), for `JWT_ALGORITHM=EdDSA`.
///
/// They are read again every five minutes, and at once when a token names a key that is not among them: but not more often
/// than every ten seconds, because anybody can write such a token.
package final class PublishedKeys: Service, AccessKeySource {
    private struct State {
        var keys: [PublicTokenKey] = []
        var generation = 0
        var askedAt: ContinuousClock.Instant?
        var isLoaded = false
        var running: Task<Void, Never>?
    }

    static let interval = Duration.seconds(300)
    static let restraint = Duration.seconds(10)
    private static let timeout = Duration.seconds(2)

    private let userService: UserServiceClient
    private let logger: Logger
    private let state = Mutex(State())

    package init(userService: UserServiceClient, logger: Logger) {
        self.userService = userService
        self.logger = logger
    }

    package var generation: Int { state.withLock { $0.generation } }

    package func keys(for keyID: String?) async -> [PublicTokenKey] {
        let known = state.withLock { $0.keys }.named(keyID)
        if !known.isEmpty { return known }
        await refresh(ifOlderThan: Self.restraint)
        return state.withLock { $0.keys }.named(keyID)
    }

    /// Reads the keys again and again until graceful shutdown.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.refresh(ifOlderThan: .zero)
                let isLoaded = self.state.withLock { $0.isLoaded }
                try? await Task.sleep(for: isLoaded ? Self.interval : .seconds(1))
            }
        }
    }

    /// Reads the keys, once for all who ask at the same time.
    private func refresh(ifOlderThan age: Duration) async {
        let task = state.withLock { state -> Task<Void, Never>? in
            if let running = state.running { return running }
            if let askedAt = state.askedAt, ContinuousClock.now - askedAt < age { return nil }
            state.askedAt = .now
            let task = Task {
                await self.read()
                self.state.withLock { $0.running = nil }
            }
            state.running = task
            return task
        }
        await task?.value
    }

    private func read() async {
        do {
            let response = try await userService.get("/.well-known/jwks.json", timeout: Self.timeout)
            guard response.status == 200 else { throw FeedUnavailable() }
            let set = try JSONDecoder().decode(KeySet.self, from: Data(response.body))
            // Whatever name the set gives to a key: ours is its thumbprint.
            let keys = set.keys.compactMap(\.ed25519)
            state.withLock { state in
                if !state.keys.allSatisfy(keys.contains) { state.generation += 1 }
                state.keys = keys
                state.isLoaded = true
            }
        } catch {
            logger.warning("The keys of user-service cannot be read", metadata: ["error": "\(error)"])
        }
    }
}

/// A JWK set, as far as it matters here.
private struct KeySet: Decodable {
    struct Key: Decodable {
        let kty: String
        let crv: String?
        let x: String?

        var ed25519: PublicTokenKey? {
            guard kty == "OKP", crv == "Ed25519", let x else { return nil }
            return Base64URL.decode(x.utf8).flatMap(PublicTokenKey.init(bytes:))
        }
    }

    let keys: [Key]
}
