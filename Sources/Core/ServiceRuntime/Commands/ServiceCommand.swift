package import ArgumentParser
import Identity
import Logging
import Migrations
import Postgres

/// The command line of a service: `serve` unless another command is named.
package struct ServiceCommand<Definition: ServiceDefinition>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: Definition.name.rawValue, abstract: "Runs and looks after \(Definition.name.rawValue).",
            version: ServiceRuntime.version,
            subcommands: [
                ServeCommand<Definition>.self, MigrateCommand<Definition>.self, CheckCommand<Definition>.self,
                HealthCommand<Definition>.self, OpenAPICommand<Definition>.self,
            ] + Definition.subcommands,
            defaultSubcommand: ServeCommand<Definition>.self)
    }

    package init() {}

    /// Runs the command that the process's arguments name, and ends the process; all that an executable has to call.
    package static func main() async { await main(nil) }
}

/// Serves until it is told to stop.
struct ServeCommand<Definition: ServiceDefinition>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "serve", abstract: "Serves until SIGTERM or SIGINT (the default).")
    }

    func run() async throws {
        let process = try await ServiceProcess<Definition>.prepare()
        try await process.serve()
    }
}

/// Brings the database's schema up to date.
struct MigrateCommand<Definition: ServiceDefinition>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "migrate", abstract: "Brings the database schema up to date.")
    }

    func run() async throws {
        let process = try await ServiceProcess<Definition>.prepare()
        let migrations = try Definition.migrations()
        let applied = try await migrations.apply(to: process.database, logger: process.logger)
        LogSink.standard.flush()
        print(
            applied.isEmpty
                ? "The schema is current at version \(migrations.latest)."
                : "Applied migrations \(applied.map(String.init).joined(separator: ", ")).")
    }
}

/// Looks at settings and database without serving.
struct CheckCommand<Definition: ServiceDefinition>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "check",
            abstract: "Checks settings and database, prints every problem; exit code 1 if there is one.")
    }

    func run() async throws {
        let process: ServiceProcess<Definition>
        do {
            process = try await ServiceProcess<Definition>.prepare(logs: false)
        } catch let problems as SettingsProblems {
            print(problems)
            throw ExitCode.failure
        }
        print("Settings: in order.")
        for warning in process.warnings { print("Warning: \(warning)") }
        let (status, findings) = try await process.withPostgres { postgres in
            let runtime = Runtime(
                common: process.common, settings: process.settings, postgres: postgres, logger: process.logger)
            return (try await Definition.migrations().status(postgres), await Definition.examine(runtime))
        }
        switch status {
        case .current: print("Database: reachable, schema current.")
        case .outdated(let pending): print("Database: reachable. \(OutdatedSchema(pending: pending))")
        case .unreachable: print("Database: cannot be reached.")
        }
        for finding in findings { print(finding.sentence) }
        if status != .current || findings.contains(where: \.isProblem) { throw ExitCode.failure }
    }
}

/// Asks the service that runs on this machine how it is; the health check of its container.
struct HealthCommand<Definition: ServiceDefinition>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "health",
            abstract: "Asks the service that listens on HOST and PORT whether it lives; exit code 1 if not.")
    }

    @Flag(help: "Ask whether it can do its work, which needs its database.")
    var ready = false

    func run() async throws {
        let reader = try await SettingsReader()
        let port = reader.integer("PORT", default: Definition.defaultPort, in: 1...65_535)
        let host = reader.string("HOST", default: "127.0.0.1")
        try reader.finish()
        let probe = HealthProbe(host: host, port: UInt16(port), path: ready ? "/health/ready" : "/health/live")
        let status = probe.status()
        print(status.map { "\(probe.path) answered \($0)." } ?? "\(probe.path) did not answer.")
        if status != 200 { throw ExitCode.failure }
    }
}

/// Prints the contract.
struct OpenAPICommand<Definition: ServiceDefinition>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "openapi", abstract: "Prints the OpenAPI file of the service.")
    }

    func run() async throws { print(try Definition.openAPI(), terminator: "") }
}
