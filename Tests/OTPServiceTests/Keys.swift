import Foundation
import Identity
import ServiceRuntime
import Tokens

@testable import OTPService

// The simulator has types of the same names; files that import both use these.
typealias OTPMessage = Message
typealias OTPOutbox = Outbox
typealias OTPChannel = Channel

/// Keys and settings of the tests.
enum Keys {
    static let code = Secret(bytes: Array("kX3v9QwZt7LmB2nR5yHc8JdF4gSa6PeU".utf8))
    static let newer = Secret(bytes: Array("Zp8wLr3QvT6yNc1XsKb9HfGm2JdVa7Ue".utf8))
    static let secret = Secret(bytes: Array("bV7xQ2mNw9RtZ4kLs8YcJ3dHf6GpA5Ue".utf8))
    static let tokens = TokenKeys(current: secret, previous: nil)
    static let codes = CodeKeys(current: code, previous: nil)

    /// Settings as the environment would give them.
    static func settings(_ environment: [String: String] = [:], isProduction: Bool = false) throws -> OTPSettings {
        let base = [
            "OTP_SECRET_KEY": "kX3v9QwZt7LmB2nR5yHc8JdF4gSa6PeU", "OTP_SENDS_PER_NETWORK": "10000/300",
            "OTP_REQUESTS_PER_NETWORK": "100000/300",
            "DEFAULT_REGION": "IN",
        ]
        let reader = SettingsReader(environment: base.merging(environment) { $1 })
        let settings = OTPSettings(reader, isProduction: isProduction)
        try reader.finish()
        return settings
    }

    /// The right code of a challenge.
    static func code(_ challenge: ChallengeID, _ phone: PhoneNumber, _ purpose: Purpose = .signIn) throws -> OneTimeCode
    {
        guard
            let code = codes.code(for: challenge, phone: phone, purpose: purpose, keyID: codes.currentID, length: 6)
        else { throw MissingCode() }
        return code
    }

    struct MissingCode: Error {}
}

extension OneTimeCode {
    /// A code that is another one.
    var wrong: OneTimeCode {
        let last = digits.last == "0" ? "1" : "0"
        return OneTimeCode(digits.dropLast() + last) ?? self
    }
}

extension PhoneNumber {
    /// A fresh Indian mobile number, of a prefix of its own as good as always, whose end is no fault of the simulator.
    static func fresh() -> PhoneNumber {
        let prefix = Int.random(in: 1000...9999)
        let rest = Int.random(in: 1000...8999)
        return PhoneNumber(e164: "+9198\(prefix)\(rest)") ?? fresh()
    }
}
