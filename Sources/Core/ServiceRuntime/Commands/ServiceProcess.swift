import HTTPServer
import Identity
import Logging
import Migrations
import Postgres
import ServiceLifecycle

/// A service with its settings read and its logging set up: what every command begins with.
struct ServiceProcess<Definition: ServiceDefinition>: Sendable {
    let common: CommonSettings
    let settings: Definition.Settings
    let database: PostgresConfiguration
    let logger: Logger
    /// What may be wrong with the settings, in sentences.
    let warnings: [String]

    /// Reads the settings and sets up logs and metrics. Throws `SettingsProblems`.
    static func prepare(logs: Bool = true) async throws -> ServiceProcess {
        let reader = try await SettingsReader()
        let common = CommonSettings(
            reader, name: Definition.name, defaultPort: Definition.defaultPort,
            databaseVariable: Definition.databaseVariable)
        let settings = Definition.settings(reader, common)
        try reader.finish()
        guard let database = common.database else {
            throw SettingsProblems(problems: [
                SettingsProblem(name: Definition.databaseVariable, sentence: "is required")
            ])
        }
        Logs.bootstrap(level: logs ? common.logLevel : .critical, format: common.logFormat)
        MetricsRegistry.bootstrap()
        return ServiceProcess(
            common: common, settings: settings, database: database, logger: Logger(label: Definition.name.rawValue),
            warnings: MisspeltNames.warnings(reader.names))
    }

    /// Runs the service until it is told to stop.
    func serve() async throws {
        for warning in warnings { logger.warning("\(warning)") }
        let postgres = try PostgresClient(configuration: database, logger: logger)
        let gate = SchemaGate(migrations: try Definition.migrations(), client: postgres, logger: logger)
        let runtime = Runtime(common: common, settings: settings, postgres: postgres, logger: logger)
        let composition = try await Definition.compose(runtime)
        let server = try server(composition, postgres, gate)
        try await runServices(
            [postgres, gate, StartupPages(gate: gate)]
                + composition.services.map { GatedWorker(gate: gate, worker: $0) }
                + [GatedServer(gate: gate, server: server)], logger: logger)
    }

    private func server(
        _ composition: Composition, _ postgres: PostgresClient, _ gate: SchemaGate
    ) throws -> HTTPApplication {
        var configuration = HTTPServerConfiguration(
            host: common.host, port: common.port, problems: Definition.problems, trustedProxies: common.trustedProxies)
        configuration.limits.maximumBodySize = composition.maximumBodySize
        configuration.limits.largerBodies = composition.largerBodies
        let process = ProcessMetrics()
        let translate = composition.translate
        return try HTTPApplication(
            configuration: configuration, logger: logger,
            readiness: [
                HealthCheck("database") { _ = try await postgres.read("SELECT 1") },
                HealthCheck("schema") { if !gate.isOpen { throw SchemaUnknown() } },
            ] + composition.readiness,
            openAPI: try Definition.openAPI(), metrics: { MetricsRegistry.shared.text() + process.text() },
            translate: { error in
                if let problem = translate(error) { return problem }
                return (error as? PostgresError).flatMap(Problem.init)
            }, present: composition.present,
            accessLog: Logs.accessLog(
                label: Definition.name.rawValue, level: common.logLevel, format: common.logFormat),
            routes: composition.routes)
    }

    /// Gives a command a database client for as long as it needs one.
    func withPostgres<Result: Sendable>(
        _ body: (PostgresClient) async throws -> Result
    ) async throws -> Result {
        let postgres = try PostgresClient(configuration: database, logger: logger)
        do {
            let result = try await body(postgres)
            await postgres.shutDown()
            LogSink.standard.flush()
            return result
        } catch {
            await postgres.shutDown()
            LogSink.standard.flush()
            throw error
        }
    }
}

/// The schema has not been seen to be current yet.
private struct SchemaUnknown: Error {}

/// For a service's own commands: its settings, its logs and a database client. Throws what `body` throws, and a sentence
/// that says what to do where the database is away.
package func withRuntime<Definition: ServiceDefinition, Result: Sendable>(
    _ definition: Definition.Type, _ body: (Runtime<Definition.Settings>) async throws -> Result
) async throws -> Result {
    let process = try await ServiceProcess<Definition>.prepare()
    do {
        return try await process.withPostgres { postgres in
            try await body(
                Runtime(
                    common: process.common, settings: process.settings, postgres: postgres, logger: process.logger))
        }
    } catch let error as PostgresError {
        throw DatabaseFailure(error, variable: Definition.databaseVariable) ?? error
    }
}
