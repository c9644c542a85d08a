import ArgumentParser
import Foundation
import Postgres
import ServiceRuntime

/// Fills the databases of user-service and otp-service with people who never were, for tests, demonstrations and
/// measurements. In no image: it is built from the sources only.
@main
struct PostkeySeed: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postkey-seed",
        abstract: "Fill the databases with made-up users, sessions and messages.",
        discussion: """
            Reads USER_DATABASE_URL, OTP_DATABASE_URL and OTP_RETENTION_DAYS from the environment or .env. The schemas must be \
            current, and otp-service should not run meanwhile: tables of days are made. The same --seed and --users make the same \
            people; their times end now. Refuses in production, and where there are data already.
            """)

    @Option(help: "How many users.") var users = 1_000_000
    @Option(help: "Over how many days messages and sign-ins are spread.") var days = 90
    @Option(help: "Which people: any whole number.") var seed = 1
    @Flag(help: "Also where the databases hold data already.") var force = false

    func validate() throws {
        guard (1...50_000_000).contains(users) else { throw ValidationError("--users must be 1 to 50000000.") }
        guard (1...366).contains(days) else { throw ValidationError("--days must be 1 to 366.") }
        guard (0...1_000_000).contains(seed) else { throw ValidationError("--seed must be 0 to 1000000.") }
    }

    func run() async throws {
        let started = ContinuousClock.now
        let work = try work(of: try await SettingsReader())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for fill in work { group.addTask(operation: fill) }
            try await group.waitForAll()
        }
        print("Done in \(Int((ContinuousClock.now - started) / .seconds(1))) s.")
    }

    /// What fills the two databases: two servers, as a rule; at least two processes of one. Throws where it must not be done.
    private func work(of settings: SettingsReader) throws -> [@Sendable () async throws -> Void] {
        guard settings.optional("ENVIRONMENT") != "production" else {
            throw Refusal("ENVIRONMENT is production: made-up people have no place there.")
        }
        let retention = settings.integer("OTP_RETENTION_DAYS", default: 30, in: 1...3650)
        try settings.finish()
        let plan = SeedPlan(users: users, days: days, seed: seed, retention: retention)
        return [
            try filling(settings, "USER_DATABASE_URL", holds: "users", plan.userScripts),
            try filling(settings, "OTP_DATABASE_URL", holds: "all_challenges", plan.messageScripts),
        ]
    }

    /// What fills the database that a setting names. Throws if the setting is not there or makes no sense.
    private func filling(
        _ settings: SettingsReader, _ variable: String, holds table: String, _ scripts: [SeedPlan.Script]
    ) throws -> @Sendable () async throws -> Void {
        guard let url = settings.optional(variable) else { throw Refusal("\(variable) is not set.") }
        let configuration = try PostgresConfiguration(url: url, applicationName: "postkey-seed", poolSize: 4)
        let force = force
        return {
            try await AdministrativeSession.run(configuration) { session in
                if try session.execute("SELECT EXISTS (SELECT FROM \(table))") == ["t"], !force {
                    throw Refusal(
                        "The database of \(variable) holds data. With --force they stay, and made-up ones join them.")
                }
                for script in scripts {
                    let began = ContinuousClock.now
                    try session.execute(script.sql)
                    print("\(variable), \(script.name): \(Int((ContinuousClock.now - began) / .milliseconds(1))) ms")
                }
            }
        }
    }
}

/// Why nothing was done, in a sentence for whoever typed the command.
struct Refusal: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
