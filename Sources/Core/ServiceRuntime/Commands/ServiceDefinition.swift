package import ArgumentParser
package import HTTPServer
package import Identity
package import Logging
package import Migrations
package import Postgres
package import ServiceLifecycle

/// A service with a database and an HTTP interface, as far as starting it is concerned.
package protocol ServiceDefinition: Sendable {
    /// The service's own settings.
    associatedtype Settings: Sendable

    static var name: ServiceName { get }
    /// The port where `PORT` says nothing.
    static var defaultPort: Int { get }
    /// The variable with the URL of its database, `OTP_DATABASE_URL`.
    static var databaseVariable: String { get }
    /// The problems it answers with, and where their pages are.
    static var problems: ProblemCatalog { get }
    /// Commands besides those that every service has.
    static var subcommands: [any ParsableCommand.Type] { get }
    /// The schema it needs.
    static func migrations() throws -> MigrationSet
    /// The text of its OpenAPI file.
    static func openAPI() throws -> String
    /// Reads its own settings; what is wrong is noted in the reader.
    static func settings(_ reader: SettingsReader, _ common: CommonSettings) -> Settings
    /// Puts the service together; nothing of it runs yet.
    static func compose(_ runtime: Runtime<Settings>) async throws -> Composition
    /// What the command `check` asks besides settings and database.
    static func examine(_ runtime: Runtime<Settings>) async -> [CheckFinding]
}

extension ServiceDefinition {
    package static var subcommands: [any ParsableCommand.Type] { [] }
    package static func examine(_ runtime: Runtime<Settings>) async -> [CheckFinding] { [] }
}

/// One line of the command `check`.
package struct CheckFinding: Sendable, Hashable {
    /// `Gateway: …`, with a full stop, without a secret.
    package let sentence: String
    /// Whether the command ends with exit code 1.
    package let isProblem: Bool

    package init(_ sentence: String, isProblem: Bool) {
        self.sentence = sentence
        self.isProblem = isProblem
    }
}

/// What a service is made from.
package struct Runtime<Settings: Sendable>: Sendable {
    package let common: CommonSettings
    package let settings: Settings
    package let postgres: PostgresClient
    package let logger: Logger
}

/// What a service is made of.
package struct Composition {
    /// What runs besides the HTTP server; starts after the database client and before the server, stops after it.
    package var services: [any Service]
    /// What `/health/ready` asks besides the database and its schema.
    package var readiness: [HealthCheck]
    /// The problem that an error stands for, asked before the errors of the database are.
    package var translate: @Sendable (any Error) -> Problem?
    /// How a problem is shown to those who read pages instead of documents.
    package var present: ProblemPresentation
    /// The largest request body, in bytes; 16 KiB unless an operation needs more.
    package var maximumBodySize: Int
    /// Larger bodies for the paths that begin so, in bytes.
    package var largerBodies: [String: Int] = [:]
    /// Adds the service's routes.
    package var routes: (PostkeyRouter) throws -> Void

    package init(
        services: [any Service] = [], readiness: [HealthCheck] = [], maximumBodySize: Int = HTTPServer.maximumBodySize,
        translate: @escaping @Sendable (any Error) -> Problem? = { _ in nil },
        present: @escaping ProblemPresentation = { _, _, _ in nil },
        routes: @escaping (PostkeyRouter) throws -> Void
    ) {
        self.services = services
        self.readiness = readiness
        self.maximumBodySize = maximumBodySize
        self.translate = translate
        self.present = present
        self.routes = routes
    }
}
