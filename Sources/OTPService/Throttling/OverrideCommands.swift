import ArgumentParser
import ServiceRuntime

/// `otp-service resume`: lets sending go on after it was paused.
///
/// For operators whom the pause itself keeps from signing in to the console: their codes are not sent either.
struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Resumes sending that was paused in the console.")

    func run() async throws {
        try await withRuntime(OTPService.self) { runtime in
            try await BudgetStore(postgres: runtime.postgres).setPaused(
                false, by: "command", reason: "otp-service resume")
        }
        print("Sending is not paused. Running services know within a second.")
    }
}

/// `otp-service allow IN`: allows a country or a beginning of numbers, whatever was blocked and whatever its breaker says.
///
/// For operators whose own numbers are blocked.
struct AllowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allow", abstract: "Allows a destination that was blocked, or that its breaker has closed.")

    @Argument(help: "A country like IN, or the beginning of numbers like +9198765.")
    var destination: String

    func run() async throws {
        guard let name = DestinationName(destination) else {
            throw ValidationError("This is neither a country like IN nor the beginning of numbers like +9198765.")
        }
        try await withRuntime(OTPService.self) { runtime in
            _ = try await DestinationStore(postgres: runtime.postgres).decide(
                .allowed, name, by: "command", reason: "otp-service allow")
        }
        print("\(name) is allowed. Running services know within a second.")
    }
}
