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
            Reads USER_DATABASE_URL and OTP_DATABASE_URL from the environment or .env. The schemas must be current. The same \
            --seed and --users make the same people; their times end now. Refuses in production, and where there are data that it did \
            not make.
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
        let settings = try await SettingsReader()
        guard settings.optional("ENVIRONMENT") != "production" else {
            throw Refusal("ENVIRONMENT is production: made-up people have no place there.")
        }
        let plan = SeedPlan(users: users, days: days, seed: seed)
        let started = ContinuousClock.now
        try await fill(settings, "USER_DATABASE_URL", holds: "SELECT EXISTS (SELECT FROM users)", plan.userScripts)
        try await fill(
            settings, "OTP_DATABASE_URL", holds: "SELECT EXISTS (SELECT FROM challenges)", plan.messageScripts)
        print("Done in \(Int((ContinuousClock.now - started) / .seconds(1))) s.")
    }

    private func fill(
        _ settings: SettingsReader, _ variable: String, holds: String, _ scripts: [(name: String, sql: String)]
    ) async throws {
        guard let url = settings.optional(variable) else { throw Refusal("\(variable) is not set.") }
        let configuration = try PostgresConfiguration(url: url, applicationName: "postkey-seed", poolSize: 4)
        let force = force
        try await AdministrativeSession.run(configuration) { session in
            if try session.execute(holds) == ["t"], !force {
                throw Refusal(
                    "The database of \(variable) holds data. With --force they stay, and made-up ones join them.")
            }
            for script in scripts {
                let began = ContinuousClock.now
                try session.execute(script.sql)
                print("\(script.name): \(Int((ContinuousClock.now - began) / .milliseconds(1))) ms")
            }
        }
    }
}

/// Why nothing was done, in a sentence for whoever typed the command.
struct Refusal: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
