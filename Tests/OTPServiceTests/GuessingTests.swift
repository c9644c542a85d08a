import Foundation
import Identity
import PostgresTestKit
import ServiceTestKit
import Testing
import Tokens

@testable import OTPService

@Suite("Guessing and going around", .timeLimit(.minutes(5)))
struct GuessingTests {
    @Test("OTP-11: a code answers its own challenge only, and the attempt is charged to the challenge that was named")
    func otherChallenge() async throws {
        try await withOTPServer { server in
            let (first, second) = (PhoneNumber.fresh(), PhoneNumber.fresh())
            let (one, other) = (try await server.challenge(first), try await server.challenge(second))
            let codes = (try await server.codes(first)[0], try await server.codes(second)[0])
            try #require(codes.0 != codes.1)
            #expect(try await server.verify(other, codes.0).problem == "incorrect-code")
            #expect(
                try await server.database.execute(
                    "SELECT attempts FROM challenges ORDER BY (id = '\(other)'), id") == ["0", "1"])
            #expect(try await server.verify(one, codes.0).status == 200)
            #expect(try await server.verify(other, codes.1).status == 200)
        }
    }

    @Test("OTP-12: a proof is for the purpose that was asked for, and its code for no other")
    func otherPurpose() async throws {
        try await withOTPServer { server in
            let phone = PhoneNumber.fresh()
            let challenge = try await server.challenge(phone)
            let code = try await server.codes(phone)[0]
            let altered = try await server.api.post(
                "/v1/otp/verify", #"{"challenge_id":"\#(challenge)","code":"\#(code)","purpose":"admin_sign_in"}"#)
            #expect(altered.status == 400)
            let proof = try await server.verify(challenge, code)
            let token = try #require(proof.string("verification_token"))
            #expect(try await server.verifier.verification(token, audience: .user).purpose == .signIn)
            await #expect(throws: TokenError.wrongAudience) {
                try await server.verifier.verification(token, audience: .admin)
            }
            let id = try #require(ChallengeID(challenge))
            let codes = try Set(Purpose.allCases.map { try Keys.code(id, phone, $0).digits })
            #expect(codes.contains(code) && codes.count > 1)
        }
    }

    @Test("OTP-14: a code with leading zeros is a string, and a number is none")
    func leadingZeros() async throws {
        try await withOTPServer(delivers: false) { server in
            var found: (challenge: String, code: String)?
            while found == nil {
                let phone = PhoneNumber.fresh()
                let challenge = try await server.challenge(phone)
                let code = try Keys.code(try #require(ChallengeID(challenge)), phone).digits
                if code.hasPrefix("0") { found = (challenge, code) }
            }
            let (challenge, code) = try #require(found)
            let number = try #require(Int(code))
            let asNumber = try await server.api.post(
                "/v1/otp/verify", #"{"challenge_id":"\#(challenge)","code":\#(number)}"#)
            #expect(asNumber.status == 400)
            #expect(try await server.verify(challenge, String(number)).problem == "incorrect-code")
            #expect(try await server.verify(challenge, code).status == 200)
        }
    }

    @Test("OTP-17: nobody is told a code, whatever they ask for")
    func noEcho() async throws {
        try await withOTPServer { server in
            for member in ["returnCode", "debug", "test"] {
                #expect(try await server.send(.fresh(), #","\#(member)":true"#).status == 400)
            }
            let phone = PhoneNumber.fresh()
            let answer = try await server.api.post(
                "/v1/otp/send?debug=1", #"{"phone":"\#(phone.e164)"}"#,
                headers: [("X-Debug", "1"), ("Accept", "text/html"), ("X-HTTP-Method-Override", "GET")])
            #expect(answer.status == 202)
            let code = try await server.codes(phone)[0]
            let headers = answer.headers.map { "\($0)" }.joined()
            #expect(!answer.text.contains(code) && !headers.contains(code))
        }
    }

    @Test("OTP-19: a success forgets the failures of its phone, no other's, and refunds no send")
    func failuresForgotten() async throws {
        try await withOTPServer(delivers: false) { server in
            let (first, second) = (PhoneNumber.fresh(), PhoneNumber.fresh())
            for phone in [first, second] {
                let challenge = try #require(ChallengeID(try await server.challenge(phone)))
                let code = try Keys.code(challenge, phone)
                for _ in 0..<3 { _ = try await server.verify(challenge.description, code.wrong.digits) }
                if phone == first { #expect(try await server.verify(challenge.description, code.digits).status == 200) }
            }
            func failures(_ phone: PhoneNumber) async throws -> [String?] {
                try await server.database.execute("SELECT failures FROM phones WHERE phone = '\(phone.e164)'")
            }
            #expect(try await failures(first) == ["0"])
            #expect(try await failures(second) == ["3"])
            let again = try #require(ChallengeID(try await server.challenge(first)))
            let code = try Keys.code(again, first)
            for _ in 0..<4 {
                #expect(try await server.verify(again.description, code.wrong.digits).problem == "incorrect-code")
            }
            #expect(try await failures(first) == ["4"])
            // The send limit counts two sends: three of the five are left.
            try await server.database.execute("UPDATE phones SET resend_at = '-infinity'")
            for _ in 0..<3 {
                _ = try await server.challenge(first)
                try await server.database.execute("UPDATE phones SET resend_at = '-infinity'")
            }
            #expect(try await server.send(first).problem == "send-limit-reached")
        }
    }

    @Test("OTP-21: no code that everybody would try opens anything")
    func favourites() async throws {
        try await withOTPServer(["OTP_MAX_ATTEMPTS": "10"], delivers: false) { server in
            for _ in 0..<50 {
                let phone = PhoneNumber.fresh()
                let challenge = try await server.challenge(phone)
                let right = try Keys.code(try #require(ChallengeID(challenge)), phone).digits
                let tries = ["000000", "111111", "123456", "654321", "999999", String(phone.digits.suffix(6))]
                for code in tries where code != right {
                    #expect(try await server.verify(challenge, code).problem == "incorrect-code")
                }
            }
        }
    }

    @Test("KEY-05: without a trusted proxy no header gives another network")
    func forgedAddresses() async throws {
        try await withOTPServer(["OTP_SENDS_PER_NETWORK": "25/3000"], delivers: false, proxies: "") { server in
            var statuses: [Int: Int] = [:]
            for number in 0..<40 {
                let address = "10.7.0.\(number + 1)"
                let answer = try await server.send(
                    .fresh(),
                    headers: [
                        ("X-Forwarded-For", address), ("X-Real-IP", address), ("Forwarded", "for=\(address)"),
                        ("True-Client-IP", address), ("CF-Connecting-IP", address), ("X-Client-IP", address),
                    ])
                statuses[answer.status, default: 0] += 1
            }
            #expect(statuses == [202: 25, 429: 15])
            #expect(
                try await server.database.execute("SELECT key FROM rate_limits WHERE key LIKE 'network:%'")
                    == ["network:127.0.0.1"])
        }
    }
}
