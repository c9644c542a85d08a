import Foundation
import Identity
import PostgresTestKit
import ServiceTestKit
import Testing
import Tokens

@testable import OTPService

@Suite("Over HTTP", .timeLimit(.minutes(5)))
struct RouteTests {
    @Test("OTP-01: ask, receive, answer: a proof for the right audience")
    func whole() async throws {
        try await withOTPServer { server in
            for purpose in [Purpose.signIn, .adminSignIn] {
                let phone = PhoneNumber.fresh()
                let sent = try await server.send(phone, #","purpose":"\#(purpose.rawValue)""#)
                #expect(sent.status == 202)
                #expect(
                    sent.members == [
                        "challenge_id", "channel", "expires_at", "expires_in", "resend_after", "resends_left",
                        "attempts_left", "code_length",
                    ])
                #expect(sent.string("channel") == "sms" && sent.integer("expires_in") == 300)
                #expect(sent.integer("resend_after") == 30 && sent.integer("resends_left") == 3)
                #expect(sent.integer("attempts_left") == 5 && sent.integer("code_length") == 6)
                #expect(sent.header("cache-control") == "no-store")
                let challenge = try #require(sent.string("challenge_id"))
                let verified = try await server.verify(challenge, try await server.codes(phone)[0])
                #expect(verified.status == 200 && verified.integer("expires_in") == 300)
                let token = try await server.verifier.verification(
                    try #require(verified.string("verification_token")), audience: purpose.audience)
                #expect(
                    token.subject == phone && token.purpose == purpose && token.challengeID.description == challenge)
            }
        }
    }

    @Test(
        "KEY-01: every spelling is one number, and one phone to the limits",
        arguments: [
            "+91 98765 43210", "919876543210", "09876543210", "98765-43210", "+91-98765-43210", "tel:+919876543210",
            "+９１９８７６５４３２１０", "+٩١٩٨٧٦٥٤٣٢١٠", "+९१९८७६५४३२१०", " +91\u{A0}98765\u{200B}43210\u{200E} ",
        ])
    func spellings(text: String) async throws {
        try await withOTPServer(delivers: false) { server in
            let answer = try await server.api.post("/v1/otp/send", #"{"phone":"\#(text)"}"#)
            #expect(answer.status == 202)
            #expect(try await server.database.execute("SELECT phone FROM challenges") == ["+919876543210"])
            #expect(
                try await server.api.post("/v1/otp/send", #"{"phone":"+919876543210"}"#).problem == "resend-too-soon")
        }
    }

    @Test("KEY-03, KEY-04, SMS-01: what is no phone number, or not an allowed one, changes nothing")
    func phones() async throws {
        try await withOTPServer(delivers: false) { server in
            let cases: [(String, Int, String)] = [
                (#"{"phone":"123"}"#, 422, "invalid-phone-number"),
                (#"{"phone":"919999999999,918888888888"}"#, 422, "invalid-phone-number"),
                (#"{"phone":"+919876543210&mobile=918888888888"}"#, 422, "invalid-phone-number"),
                (#"{"phone":""}"#, 422, "invalid-phone-number"),
                (#"{"phone":"919999999999;918888888888"}"#, 422, "invalid-phone-number"),
                (#"{"phone":"919999999999|918888888888"}"#, 422, "invalid-phone-number"),
                (#"{"phone":"919999999999\n918888888888"}"#, 422, "invalid-phone-number"),
                (#"{"phone":"+919876543210;ext=5"}"#, 422, "invalid-phone-number"),
                (#"{"phone":"+9991234567890"}"#, 422, "invalid-phone-number"),
                (#"{"phone":"+91987654321"}"#, 422, "invalid-phone-number"),
                (#"{"phone":"+9198765432101"}"#, 422, "invalid-phone-number"),
                (#"{"phone":"+4474001234567"}"#, 422, "invalid-phone-number"),
                (#"{"phone":"+12125552368"}"#, 403, "destination-not-allowed"),
                (#"{"phone":"+447400123456"}"#, 403, "destination-not-allowed"),
                (#"{"phone":"+923001234567"}"#, 403, "destination-not-allowed"),
                (#"{"phone":"+19005552368"}"#, 403, "destination-not-allowed"),
                (#"{"phone":"+9118001234567"}"#, 403, "destination-not-allowed"),
                (#"{"phone":"+919876543210","purpose":"steal"}"#, 400, "invalid-request"),
                (#"{"phone":"+919876543210","channel":"pigeon"}"#, 400, "invalid-request"),
                (#"{"phone":"+919876543210","chanel":"sms"}"#, 400, "invalid-request"),
                (#"{"phone":919876543210}"#, 400, "invalid-request"),
                (#"{"phone":["+919876543210"]}"#, 400, "invalid-request"),
                ("{", 400, "invalid-request"),
            ]
            for (body, status, code) in cases {
                let answer = try await server.api.post("/v1/otp/send", body)
                #expect(answer.status == status && answer.problem == code, "\(body): \(answer.text)")
            }
            #expect(try await server.database.execute("SELECT count(*) FROM phones") == ["0"])
        }
    }

    @Test("OTP-07: a second send is too soon; after the cooldown it supersedes the first")
    func cooldown() async throws {
        try await withOTPServer { server in
            let phone = PhoneNumber.fresh()
            let first = try await server.challenge(phone)
            let early = try await server.send(phone)
            #expect(early.status == 429 && early.problem == "resend-too-soon")
            #expect((1...30).contains(Int(early.header("retry-after") ?? "") ?? 0))
            let firstCode = try await server.codes(phone)[0]
            try await server.database.execute("UPDATE phones SET resend_at = now()")
            let second = try await server.challenge(phone)
            #expect(try await server.verify(first, firstCode).problem == "challenge-not-active")
            #expect(try await server.api.get("/v1/otp/challenges/\(first)").string("status") == "superseded")
            let codes = try await server.codes(phone, count: 2)
            try #require(codes[0] != firstCode)
            #expect(try await server.verify(second, firstCode).problem == "incorrect-code")
            #expect(try await server.verify(second, codes[0]).status == 200)
            // A used code is none under the next challenge either.
            let third = try await server.challenge(phone)
            #expect(try await server.verify(third, codes[0]).problem == "incorrect-code")
            #expect(
                try await server.database.execute("SELECT count(*) FROM challenges WHERE verified_at IS NOT NULL")
                    == ["1"])
        }
    }

    @Test("resends: the same code three times, attempts carried over, then none")
    func resend() async throws {
        try await withOTPServer { server in
            let phone = PhoneNumber.fresh()
            let challenge = try await server.challenge(phone)
            let code = try await server.codes(phone)[0]
            let wrong = try #require(OneTimeCode(code)).wrong.digits
            #expect(try await server.verify(challenge, wrong).integer("attempts_left") == 4)
            let body = #"{"challenge_id":"\#(challenge)"}"#
            #expect(try await server.api.post("/v1/otp/resend", body).problem == "resend-too-soon")
            for (number, cooldown) in [(1, 60), (2, 120), (3, 120)] {
                try await server.database.execute("UPDATE phones SET resend_at = now()")
                let again = try await server.api.post("/v1/otp/resend", body)
                #expect(again.status == 202 && again.string("challenge_id") == challenge)
                #expect(again.integer("resends_left") == 3 - number && again.integer("resend_after") == cooldown)
                #expect(again.integer("attempts_left") == 4)
                // Within ten seconds the gateway swallows the same text (311): what counts here is that it was asked.
                _ = try await server.wait(for: "submitted", of: challenge)
                #expect(server.asked(phone) == Array(repeating: code, count: number + 1))
            }
            try await server.database.execute("UPDATE phones SET resend_at = now()")
            #expect(try await server.api.post("/v1/otp/resend", body).problem == "resends-exhausted")
            #expect(try await server.verify(challenge, code).status == 200)
            #expect(try await server.api.post("/v1/otp/resend", body).problem == "challenge-not-active")
        }
    }

    @Test("five sends an hour for a phone, 25 in five minutes for a network, however the phone is spelt")
    func limits() async throws {
        // A unit comes back in two minutes, not in twelve seconds: a slow machine would see that.
        try await withOTPServer(["OTP_SENDS_PER_NETWORK": "25/3000"], delivers: false) { server in
            let from = { (address: String) in [("X-Forwarded-For", address)] }
            for number in 1...6 {
                let answer = try await server.api.post(
                    "/v1/otp/send", #"{"phone":"\#(number.isMultiple(of: 2) ? "+91 98765 43210" : "09876543210")"}"#,
                    headers: from("203.0.113.\(number)"))
                #expect(answer.status == (number <= 5 ? 202 : 429))
                if number == 6 {
                    #expect(answer.problem == "send-limit-reached" && answer.header("retry-after") != nil)
                }
                try await server.database.execute("UPDATE phones SET resend_at = now()")
            }
            var accepted = 0
            for _ in 0..<30 where try await server.send(.fresh(), headers: from("198.51.100.9")).status == 202 {
                accepted += 1
            }
            #expect(accepted == 25)
            #expect(try await server.send(.fresh(), headers: from("198.51.100.10")).status == 202)
        }
    }

    @Test("OTP-08, OTP-09, OTP-10: one answer for every challenge that is not active, headers included")
    func inactive() async throws {
        try await withOTPServer { server in
            var bodies: Set<String> = []
            var headers: Set<[String]> = []
            func note(_ answer: Answer) throws {
                #expect(answer.status == 410)
                // But for what is another's at each request: its id, and the time.
                headers.insert(
                    answer.headers.map { ($0.0.lowercased(), $0.1) }.filter { $0.0 != "date" }
                        .map { $0.0 == "x-request-id" ? $0.0 : "\($0.0): \($0.1)" }.sorted())
                var members = try #require(JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any])
                members["request_id"] = nil
                bodies.insert(
                    String(
                        decoding: try JSONSerialization.data(withJSONObject: members, options: .sortedKeys),
                        as: UTF8.self))
            }
            try note(try await server.verify(ChallengeID().description, "123456"))
            try note(try await server.verify("not-an-id", "123456"))
            let phone = PhoneNumber.fresh()
            let challenge = try await server.challenge(phone)
            let code = try await server.codes(phone)[0]
            #expect(try await server.verify(challenge, code).status == 200)
            try note(try await server.verify(challenge, code))
            let other = PhoneNumber.fresh()
            let expired = try await server.challenge(other)
            let late = try await server.codes(other)[0]
            try await server.database.execute(
                "UPDATE challenges SET expires_at = now() - interval '1 s', created_at = now() - interval '10 s' WHERE id = '\(expired)'"
            )
            try note(try await server.verify(expired, late))
            let guessed = PhoneNumber.fresh()
            let exhausted = try await server.challenge(guessed)
            let right = try await server.codes(guessed)[0]
            let wrong = try #require(OneTimeCode(right)).wrong.digits
            for left in (0...4).reversed() {
                #expect(try await server.verify(exhausted, wrong).integer("attempts_left") == left)
            }
            for code in [wrong, right] { try note(try await server.verify(exhausted, code)) }
            try await server.database.execute("UPDATE phones SET resend_at = '-infinity'")
            let successor = try await server.challenge(guessed)
            // Superseded: while it could still be answered, and as it is now.
            try note(try await server.verify(exhausted, right))
            try await server.database.execute("UPDATE phones SET resend_at = '-infinity'")
            _ = try await server.challenge(guessed)
            for code in [wrong, try Keys.code(try #require(ChallengeID(successor)), guessed).digits] {
                try note(try await server.verify(successor, code))
            }
            #expect(bodies.count == 1, "\(bodies)")
            #expect(headers.count == 1, "\(headers)")
            #expect(headers.first?.contains("x-request-id") == true)
            #expect(
                try await server.database.execute("SELECT attempts FROM challenges WHERE id = '\(expired)'") == ["0"])
            #expect(try await server.api.get("/v1/otp/challenges/\(expired)").string("status") == "expired")
            #expect(try await server.api.get("/v1/otp/challenges/\(ChallengeID())").status == 404)
        }
    }

    @Test(
        "a code is a string of ASCII digits; its zeros count",
        arguments: ["123456", #""""#, #""12345a""#, #""１２３４５６""#, "null", #"["123456"]"#])
    func badCodes(code: String) async throws {
        try await withOTPServer(delivers: false) { server in
            let challenge = try await server.challenge(.fresh())
            let answer = try await server.api.post(
                "/v1/otp/verify", #"{"challenge_id":"\#(challenge)","code":\#(code)}"#)
            #expect(answer.status == 400 && answer.problem == "invalid-request")
            #expect(try await server.database.execute("SELECT attempts FROM challenges") == ["0"])
        }
    }
}
