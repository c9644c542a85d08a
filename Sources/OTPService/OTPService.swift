package import ArgumentParser
package import Foundation
import ChangeFeed
import HTTPClient
package import HTTPServer
package import Identity
import Logging
package import Migrations
package import ServiceRuntime

/// otp-service: one-time codes, their delivery and their one verification. The composition root; nothing else here makes its own
/// dependencies.
package enum OTPService: ServiceDefinition {
    /// Its name in tokens, logs and commands.
    package static let name = ServiceName.otp
    /// Where it listens unless `PORT` says otherwise.
    package static let defaultPort = 8081
    /// The variable that names its database.
    package static let databaseVariable = "OTP_DATABASE_URL"
    /// All that it answers with when it refuses.
    package static let problems = ProblemCatalog(prefix: "/v1/otp", types: ProblemType.otp)
    /// Besides the commands of every service.
    package static var subcommands: [any ParsableCommand.Type] {
        [SendTestCommand.self, ValidateTemplateCommand.self, ResumeCommand.self, AllowCommand.self, UnlockCommand.self]
    }

    /// Where the numbered SQL files are.
    package static var migrationsDirectory: URL { Bundle.module.bundleURL.appending(path: "Migrations") }

    /// The schema it needs.
    package static func migrations() throws -> MigrationSet {
        try MigrationSet(bundle: .module, directory: "Migrations")
    }

    /// The text of its OpenAPI file.
    package static func openAPI() throws -> String {
        let file = Bundle.module.bundleURL.appending(path: "OpenAPI/otp-service.yaml")
        return String(decoding: try Data(contentsOf: file), as: UTF8.self)
    }

    /// Reads its own settings; what is wrong is noted in the reader.
    package static func settings(_ reader: SettingsReader, _ common: CommonSettings) -> OTPSettings {
        OTPSettings(reader, isProduction: common.isProduction)
    }

    /// Puts the service together; nothing of it runs yet.
    package static func compose(_ runtime: Runtime<OTPSettings>) async throws -> Composition {
        let client = gatewayClient(runtime.settings.gateway, runtime)
        let userServiceClient = HTTPClient(
            configuration: HTTPClientConfiguration(
                connectionsPerHost: 4, plainHTTPHosts: [runtime.settings.userServiceURL.host]), logger: runtime.logger)
        let assembly = OTPAssembly(
            settings: runtime.settings, keys: runtime.common.keys, postgres: runtime.postgres, client: client,
            userServiceClient: userServiceClient, algorithm: runtime.common.algorithm, logger: runtime.logger)
        if runtime.settings.webhookSecret == nil {
            runtime.logger.notice("no delivery reports are taken: MSG91_WEBHOOK_SECRET is absent")
        }
        var composition = Composition(
            services: [client, userServiceClient] + assembly.services + [assembly.selfTest],
            readiness: assembly.readiness,
            routes: assembly.add)
        composition.largerBodies = DeliveryReportRoutes.largerBodies
        return composition
    }

    /// Whether key and template are good. In development a gateway that does not answer is no problem: the simulator need not run.
    package static func examine(_ runtime: Runtime<OTPSettings>) async -> [CheckFinding] {
        let account = runtime.settings.gateway
        let report = await SelfTest(gateway: MSG91(account: account, client: gatewayClient(account, runtime)))()
        if let refusal = report.refusal {
            return [CheckFinding("Gateway: refuses, \(refusal). \(refusal.advice)", isProblem: true)]
        }
        if report.isConclusive {
            return [CheckFinding("Gateway: accepts key and template.", isProblem: false)]
        }
        return [
            CheckFinding(
                "Gateway: no answer (\(report.silence ?? "none")).", isProblem: runtime.common.isProduction)
        ]
    }

    /// The client that speaks to the gateway.
    static func gatewayClient(_ account: MSG91Account, _ runtime: Runtime<OTPSettings>) -> HTTPClient {
        HTTPClient(
            configuration: gatewayClientConfiguration(account, isProduction: runtime.common.isProduction),
            logger: runtime.logger)
    }

    /// Answers of the gateway are short, whatever it is made to send; in development its host may speak plain http.
    static func gatewayClientConfiguration(_ account: MSG91Account, isProduction: Bool) -> HTTPClientConfiguration {
        var configuration = HTTPClientConfiguration()
        configuration.maximumBodySize = 64 * 1024
        configuration.connectionsPerHost = 64
        if !isProduction, let host = account.baseURL.plainHost { configuration.plainHTTPHosts = [host] }
        return configuration
    }
}
