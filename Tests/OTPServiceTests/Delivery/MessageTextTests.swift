import Foundation
import Identity
import MSG91Simulator
import ServiceTestKit
import Testing

@testable import OTPService

@Suite("The text that arrives", .timeLimit(.minutes(5)))
struct MessageTextTests {
    /// What OTP-22 says of a text: the code once in the part for people, `line` last where browsers are promised one, one segment
    /// of GSM-7, no link.
    static func check(_ text: String, code: String, line: String?) {
        var explanation = text
        if let line {
            let last = text.split(separator: "\n", omittingEmptySubsequences: false).last ?? ""
            #expect(last == line)
            explanation = String(text.dropLast(last.count))
        }
        #expect(explanation.components(separatedBy: code).count == 2, "\(explanation)")
        let length = SMSLength(text)
        #expect(length.encoding == .gsm7 && length.segments == 1 && length.units <= 160, "\(length)")
        for sign in ["://", "www.", "http"] { #expect(!text.lowercased().contains(sign)) }
    }

    @Test(
        "OTP-22: the code once in the explanation, the line for browsers last, one GSM-7 segment, no link",
        arguments: [
            (SimulatorConfiguration.defaultText, "@localhost #" as String?),
            ("##OTP## is your Postkey code.", nil),
            (
                "Your code for Postkey is ##OTP##. It is good for 5 minutes.\n\n@id.postkey.example ###OTP##",
                "@id.postkey.example #"
            ),
        ])
    func text(template: String, line: String?) async throws {
        try await withOTPServer { server in
            let id = server.settings.gateway.templateID
            server.gateway.updateAccount { $0.otpTemplates = [id: template] }
            for _ in 0..<5 {
                let phone = PhoneNumber.fresh()
                let challenge = try #require(ChallengeID(try await server.challenge(phone)))
                _ = try await server.codes(phone)
                let message = try #require(server.gateway.messages(to: phone.digits).first)
                let code = try Keys.code(challenge, phone).digits
                #expect(message.otp == code && message.templateID == id)
                Self.check(message.text, code: code, line: line.map { $0 + code })
            }
        }
    }
}
