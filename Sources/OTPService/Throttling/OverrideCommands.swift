import ArgumentParser
import Identity
import ServiceRuntime

/// `otp-service resume`: lets sending go on after it was paused.
///
/// For operators whom the pause itself keeps from signing in to the console: their codes are not sent either.
struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Resumes sending that was paused in the console.")

    func run() async throws {
        try await withRuntime(OTPService.self) { runtime in
            _ = try await BudgetStore(postgres: runtime.postgres).setPaused(
                false, by: "command", reason: "otp-service resume")
        }
        print("Sending goes on, if it was paused. Running services know within a second.")
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

/// `otp-service unlock --phone +919876543210`: lifts the lock that too many wrong codes have put on a phone.
///
/// For operators whose own phone is locked; of others the console takes care.
struct UnlockCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock", abstract: "Lifts the lock that too many wrong codes have put on a phone.")

    @Option(help: "The phone, with country code: +919876543210.")
    var phone: String

    func run() async throws {
        let (number, lock, isKnown) = try await withRuntime(OTPService.self) { runtime in
            guard let number = try? PhoneNumber(parsing: phone, defaultRegion: runtime.settings.defaultRegion) else {
                throw ValidationError("This is not one phone number. Write it with its country code: +919876543210.")
            }
            let locks = PhoneLockStore(postgres: runtime.postgres)
            return (number, try await locks.lock(of: number), try await locks.unlock(number).isKnown)
        }
        let words =
            switch (isKnown, lock.state) {
            case (false, _): "No code was ever asked for with \(number)."
            case (true, .open): "\(number) was not locked. Wrong codes before now are forgotten: \(lock.failures)."
            case (true, _): "\(number) is unlocked. Running services know within a second."
            }
        print(words)
    }
}
