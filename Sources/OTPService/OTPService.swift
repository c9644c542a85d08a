package import ArgumentParser
package import Foundation
import HTTPClient
package import HTTPServer
package import Identity
package import Migrations
import Postgres
package import ServiceRuntime
import Tokens

/// otp-service: one-time codes, their delivery and their one verification. The composition root; nothing else here makes its own
/// dependencies.
package enum OTPService: ServiceDefinition {
    package static let name = ServiceName.otp
    package static let defaultPort = 8081
    package static let databaseVariable = "OTP_DATABASE_URL"
    package static let problems = ProblemCatalog(prefix: "/v1/otp", types: ProblemType.otp)
    package static var subcommands: [any ParsableCommand.Type] { [SendTestCommand.self] }

    /// Where the numbered SQL files are.
    package static var migrationsDirectory: URL { Bundle.module.bundleURL.appending(path: "Migrations") }

    package static func migrations() throws -> MigrationSet {
        try MigrationSet(bundle: .module, directory: "Migrations")
    }

    package static func openAPI() throws -> String {
        let file = Bundle.module.bundleURL.appending(path: "OpenAPI/otp-service.yaml")
        return String(decoding: try Data(contentsOf: file), as: UTF8.self)
    }

    package static func settings(_ reader: SettingsReader, _ common: CommonSettings) -> OTPSettings {
        OTPSettings(reader, isProduction: common.isProduction)
    }

    package static func compose(_ runtime: Runtime<OTPSettings>) async throws -> Composition {
        let (settings, postgres, logger) = (runtime.settings, runtime.postgres, runtime.logger)
        let client = gatewayClient(settings.gateway, runtime)
        let outbox = Outbox(postgres: postgres)
        let dispatcher = Dispatcher(
            outbox: outbox,
            deliver: DeliverMessage(
                gateway: MSG91(account: settings.gateway, client: client), keys: settings.keys, logger: logger),
            logger: logger)
        let store = ChallengeStore(postgres: postgres, limits: settings.limits)
        let metrics = ChallengeMetrics()
        let tokens = TokenVerifier(keys: runtime.common.keys)
        let challenges = ChallengeRoutes(
            send: SendCode(
                store: store, keys: settings.keys, policy: settings.policy, destinations: settings.destinations,
                defaultRegion: settings.defaultRegion, metrics: metrics, wake: dispatcher.wake),
            answer: AnswerChallenge(
                store: store, keys: settings.keys, signer: TokenSigner(keys: runtime.common.keys), metrics: metrics),
            store: store, tokens: tokens)
        let statistics = StatisticsRoutes(statistics: StatisticsStore(postgres: postgres), tokens: tokens)
        let unlock = UnlockRoutes(store: store, tokens: tokens)
        return Composition(
            services: [
                client, dispatcher, OutboxGauges(outbox: outbox, logger: logger),
                Retention(postgres: postgres, days: settings.retentionDays, logger: logger),
            ],
            routes: { router in
                challenges.add(to: router)
                statistics.add(to: router)
                unlock.add(to: router)
            })
    }

    /// Answers of the gateway are short, whatever it is made to send; in development its host may speak plain http.
    static func gatewayClient(_ account: MSG91Account, _ runtime: Runtime<OTPSettings>) -> HTTPClient {
        var configuration = HTTPClientConfiguration()
        configuration.maximumBodySize = 64 * 1024
        configuration.connectionsPerHost = 64
        if !runtime.common.isProduction, let host = account.plainHost { configuration.plainHTTPHosts = [host] }
        return HTTPClient(configuration: configuration, logger: runtime.logger)
    }
}
