import ArgumentParser
import HTTPClient
import Identity
import ServiceRuntime

/// `otp-service send-test --phone +919876543210`: sends a code that proves nothing straight to the gateway and says what came of it.
///
/// For operators who want to know whether key, template and address are in order; limits are not asked.
struct SendTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send-test", abstract: "Sends a test message through MSG91 and says what it answered.")

    @Option(help: "The phone, with country code: +919876543210.")
    var phone: String

    func run() async throws {
        let outcome = try await withRuntime(OTPService.self) { runtime in
            let settings = runtime.settings
            guard let number = try? PhoneNumber(parsing: phone, defaultRegion: settings.defaultRegion) else {
                throw ValidationError("This is not one phone number. Write it with its country code: +919876543210.")
            }
            guard settings.destinations.allows(number) else {
                throw ValidationError("Codes are not sent to this country or kind of line (OTP_ALLOWED_COUNTRIES).")
            }
            let id = ChallengeID()
            guard
                let code = settings.keys.code(
                    for: id, phone: number, purpose: .signIn, keyID: settings.keys.currentID,
                    length: settings.policy.length)
            else { throw ExitCode.failure }
            let gateway = MSG91(
                account: settings.gateway, client: OTPService.gatewayClient(settings.gateway, runtime))
            return await gateway.text(
                code, to: number, correlation: "test-\(id)", remaining: .seconds(settings.policy.lifetime))
        }
        print(Self.sentence(outcome))
        if case .accepted = outcome { return }
        throw ExitCode.failure
    }

    private static func sentence(_ outcome: GatewayOutcome) -> String {
        switch outcome {
        case .accepted(let id): "MSG91 took the message (request id \(id)). Whether it arrives, the phone will tell."
        case .duplicate: "MSG91 has had the same message within the last ten seconds (code 311)."
        case .refused(let refusal): "MSG91 refused the message: \(refusal). \(refusal.advice)"
        case .transient(let reason, _): "Nothing was sent: \(reason)."
        case .unknown(let reason): "MSG91 did not say whether it took the message: \(reason)."
        case .nothingToRepeat: "MSG91 refused the message: nothing to repeat."
        }
    }
}
