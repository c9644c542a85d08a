package import ArgumentParser
import Foundation
package import HTTPServer
package import Identity
import Logging
package import Migrations
import Postgres
package import ServiceRuntime
import Tokens

/// Users, their sessions, and the revocation of their tokens: the composition root of user-service.
package enum UserService: ServiceDefinition {
    package static let name = ServiceName.user
    package static let defaultPort = 8082
    package static let databaseVariable = "USER_DATABASE_URL"
    package static let problems = ProblemCatalog(prefix: "/v1/auth", types: ProblemType.user)
    package static let subcommands: [any ParsableCommand.Type] = [CleanupCommand.self]

    /// Where the numbered SQL files are.
    static var migrationsDirectory: URL { Bundle.module.bundleURL.appending(path: "Migrations") }

    package static func migrations() throws -> MigrationSet {
        try MigrationSet(bundle: .module, directory: "Migrations")
    }

    package static func openAPI() throws -> String {
        let file = Bundle.module.bundleURL.appending(path: "OpenAPI/user-service.yaml")
        return String(decoding: try Data(contentsOf: file), as: UTF8.self)
    }

    package static func settings(_ reader: SettingsReader, _ common: CommonSettings) -> UserSettings {
        UserSettings(reader, common.algorithm)
    }

    package static func compose(_ runtime: Runtime<UserSettings>) async throws -> Composition {
        let cleanup = Cleanup(
            postgres: runtime.postgres, interval: runtime.settings.cleanupInterval, logger: runtime.logger)
        let signal = ChangeSignal(postgres: runtime.postgres, logger: runtime.logger)
        let assembly = UserAssembly(
            postgres: runtime.postgres, keys: runtime.common.keys, limits: runtime.settings.limits,
            accessKeys: runtime.settings.accessKeys, signal: signal, logger: runtime.logger)
        return Composition(services: [cleanup, signal], routes: assembly.add)
    }
}

/// The parts of the service, put together; its routes at one glance.
struct UserAssembly: Sendable {
    let postgres: PostgresClient
    let keys: TokenKeys
    let limits: SessionLimits
    let accessKeys: AccessKeyPair?
    let signal: ChangeSignal
    let logger: Logger
    /// One for all routes, so that a token's signature is checked once.
    let verifier: TokenVerifier

    /// - Parameter accessKeys: nil for HS256.
    init(
        postgres: PostgresClient, keys: TokenKeys, limits: SessionLimits, accessKeys: AccessKeyPair?,
        signal: ChangeSignal, logger: Logger
    ) {
        self.postgres = postgres
        self.keys = keys
        self.limits = limits
        self.accessKeys = accessKeys
        self.signal = signal
        self.logger = logger
        verifier = TokenVerifier(keys: keys, accessKeys: accessKeys?.published)
    }

    func add(to router: PostkeyRouter) {
        let issuer = SessionIssuer(
            signer: TokenSigner(keys: keys, accessKey: accessKeys?.current), refreshTokens: RefreshTokens(keys))
        let revocations = RevocationStore(postgres: postgres)

        SignInRoutes(
            signIn: SignInWithProof(
                verifier: verifier, store: SignInStore(postgres: postgres, limits: limits), issuer: issuer,
                recycling: RecyclingStore(postgres: postgres, days: limits.phoneRecycleDays), signal: signal)
        ).add(to: router)
        SessionRoutes(
            refresh: RefreshSession(
                store: SessionStore(postgres: postgres, limits: limits), issuer: issuer, signal: signal, logger: logger),
            sessions: OwnSessions(postgres: postgres, signal: signal), verifier: verifier
        ).add(to: router)
        LogoutRoutes(signOut: SignOut(store: revocations, signal: signal), verifier: verifier).add(to: router)
        TokenInspectionRoutes(
            inspection: TokenInspection(
                postgres: postgres, verifier: verifier, refreshTokens: issuer.refreshTokens, store: revocations,
                signal: signal), verifier: verifier
        ).add(to: router)
        FeedRoutes(
            read: ReadChanges(store: FeedStore(postgres: postgres), signal: signal), cursors: FeedCursors(keys),
            verifier: verifier
        ).add(to: router)
        KeySetRoutes(keys: accessKeys?.published.all ?? []).add(to: router)
        let (users, accounts) = (UserStore(postgres: postgres), AccountStore(postgres: postgres))
        ProfileRoutes(users: users, verifier: verifier, signal: signal).add(to: router)
        AccountRoutes(
            changePhone: ChangePhone(verifier: verifier, accounts: accounts, users: users, signal: signal),
            accounts: accounts,
            verifier: verifier, signal: signal
        ).add(to: router)
        let directory = DirectoryStore(postgres: postgres)
        DirectoryRoutes(
            directory: directory, statistics: StatisticsStore(postgres: postgres), cursors: DirectoryCursors(keys),
            verifier: verifier
        ).add(to: router)
        ActionRoutes(
            actions: ActionStore(postgres: postgres), directory: directory, verifier: verifier, signal: signal
        ).add(to: router)
    }
}

/// The settings that only user-service has.
package struct UserSettings: Sendable {
    let limits: SessionLimits
    let cleanupInterval: Duration
    /// `JWT_PRIVATE_KEY` and `JWT_PREVIOUS_PRIVATE_KEY`; nil for HS256.
    let accessKeys: AccessKeyPair?

    init(_ reader: SettingsReader, _ algorithm: TokenAlgorithm) {
        var limits = SessionLimits()
        limits.accessLifetime = reader.integer("ACCESS_TOKEN_TTL", default: limits.accessLifetime, in: 60...86_400)
        limits.idleLifetime = reader.integer(
            "REFRESH_TOKEN_TTL", default: limits.idleLifetime, in: 300...limits.absoluteLifetime)
        if limits.accessLifetime > limits.idleLifetime {
            reader.problem("ACCESS_TOKEN_TTL", "must not be longer than REFRESH_TOKEN_TTL")
        }
        limits.phoneRecycleDays = reader.integer("PHONE_RECYCLE_DAYS", default: limits.phoneRecycleDays, in: 0...3650)
        self.limits = limits
        // At most a day: partitions for revoked tokens are made two days ahead.
        accessKeys = algorithm == .edDSA ? AccessKeyPair(reader) : nil
        cleanupInterval = reader.seconds("BLACKLIST_CLEANUP_INTERVAL", default: 86_400, in: 1...86_400)
    }
}

/// `user-service cleanup`: removes expired revoked tokens and sessions once.
struct CleanupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cleanup", abstract: "Remove expired revoked tokens and sessions once, then exit.")

    func run() async throws {
        try await withRuntime(UserService.self) { runtime in
            let cleanup = Cleanup(
                postgres: runtime.postgres, interval: runtime.settings.cleanupInterval, logger: runtime.logger)
            print(try await cleanup.clean().sentence)
        }
    }
}
