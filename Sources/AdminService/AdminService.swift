package import ArgumentParser
import Foundation
import HTTPClient
package import HTTPServer
package import Identity
package import Migrations
import Postgres
package import ServiceRuntime
import Tokens

/// admin-service: what operators see and do. The composition root; nothing else here makes its own dependencies.
package enum AdminService: ServiceDefinition {
    package static let name = ServiceName.admin
    package static let defaultPort = 8083
    package static let databaseVariable = "ADMIN_DATABASE_URL"
    package static let problems = ProblemCatalog(prefix: "/v1/admin", types: ProblemType.admin)
    package static var subcommands: [any ParsableCommand.Type] {
        [CreateAdminCommand.self, VerifyAuditLogCommand.self]
    }

    /// Where the numbered SQL files are.
    static var migrationsDirectory: URL { Bundle.module.bundleURL.appending(path: "Migrations") }

    package static func migrations() throws -> MigrationSet {
        try MigrationSet(bundle: .module, directory: "Migrations")
    }

    package static func openAPI() throws -> String {
        let file = Bundle.module.bundleURL.appending(path: "OpenAPI/admin-service.yaml")
        return String(decoding: try Data(contentsOf: file), as: UTF8.self)
    }

    package static func settings(_ reader: SettingsReader, _ common: CommonSettings) -> AdminSettings {
        AdminSettings(reader)
    }

    package static func compose(_ runtime: Runtime<AdminSettings>) async throws -> Composition {
        let hosts = [runtime.settings.userServiceURL, runtime.settings.otpServiceURL].compactMap(AdminSettings.host)
        let client = HTTPClient(
            configuration: HTTPClientConfiguration(plainHTTPHosts: Set(hosts)), logger: runtime.logger)
        let assembly = AdminAssembly(
            postgres: runtime.postgres, client: client, keys: runtime.common.keys, settings: runtime.settings,
            logger: runtime.logger)
        let console = try Console(
            assembly: assembly, client: client, keys: runtime.common.keys,
            settings: runtime.settings, isProduction: runtime.common.isProduction)
        return Composition(
            services: [client] + assembly.services,
            translate: { AdminProblems.problem(for: $0, runtime.logger) }, present: console.present
        ) { router in
            assembly.add(to: router)
            console.add(to: router)
        }
    }
}
