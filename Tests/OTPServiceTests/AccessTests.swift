import Foundation
import HTTPServer
import Hummingbird
import Identity
import Logging
import PostgresTestKit
import ServiceTestKit
import Testing
import Tokens

@testable import OTPService

@Suite("Access, secrecy and upkeep", .timeLimit(.minutes(5)))
struct AccessTests {
    @Test("only a signed-in user may ask for a code to change a phone")
    func changePhone() async throws {
        try await withOTPServer(delivers: false) { server in
            let phone = PhoneNumber.fresh()
            let body = #"{"phone":"\#(phone.e164)","purpose":"change_phone"}"#
            let anonymous = try await server.api.post("/v1/otp/send", body)
            #expect(anonymous.problem == "authentication-required")
            #expect(try await server.api.post("/v1/otp/send", body, token: "a.b.c").problem == "invalid-token")
            let now = Date()
            func token(_ expiry: TimeInterval) async throws -> String {
                try server.signer.sign(
                    AccessToken(
                        userID: UserID(), sessionID: SessionID(), id: .version7(),
                        issuedAt: now.addingTimeInterval(-1000),
                        expiresAt: now.addingTimeInterval(expiry)), now: now.addingTimeInterval(-1000))
            }
            #expect(
                try await server.api.post("/v1/otp/send", body, token: try await token(-60)).problem == "invalid-token")
            // Good, but whether it was revoked nobody knows.
            #expect(try await server.api.post("/v1/otp/send", body, token: try await token(60)).status == 503)
            #expect(try await server.send(.fresh()).status == 202)
        }
    }

    @Test(
        "OTP-15: other methods change nothing, with all that a living challenge takes",
        arguments: ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
    func methods(method: String) async throws {
        try await withOTPServer(delivers: false) { server in
            let phone = PhoneNumber.fresh()
            let id = try #require(ChallengeID(try await server.challenge(phone)))
            let code = try Keys.code(id, phone)
            try await server.database.execute("UPDATE phones SET resend_at = '-infinity'")
            for (path, body) in [
                ("send", #"{"phone":"\#(PhoneNumber.fresh().e164)"}"#), ("resend", #"{"challenge_id":"\#(id)"}"#),
                ("verify", #"{"challenge_id":"\#(id)","code":"\#(code.digits)"}"#),
                ("verify", #"{"challenge_id":"\#(id)","code":"\#(code.wrong.digits)"}"#),
            ] {
                let answer = try await server.api.call(
                    method, "/v1/otp/\(path)", method == "HEAD" ? nil : Array(body.utf8), nil,
                    [("Content-Type", "application/json"), ("X-HTTP-Method-Override", "POST")])
                #expect(answer.status == 405 && answer.header("allow") == "POST", "\(path)")
            }
            let rows = try await server.database.execute(
                "SELECT attempts || ' ' || resends || ' ' || (SELECT count(*) FROM messages) FROM challenges")
            #expect(rows == ["0 0 1"])
            #expect(try await server.verify(id.description, code.digits).status == 200)
        }
    }

    @Test("internal paths want a service token for this service")
    func internals() async throws {
        try await withOTPServer { server in
            let phone = PhoneNumber.fresh()
            let challenge = try await server.challenge(phone)
            let code = try await server.codes(phone)[0]
            _ = try await server.wait(for: "submitted", of: challenge)
            _ = try await server.verify(challenge, code)
            #expect(try await server.api.get("/internal/statistics").status == 401)
            func token(_ audience: ServiceName) async throws -> String {
                let now = Date()
                return try server.signer.sign(
                    ServiceToken(service: .admin, audience: audience, expiresAt: now.addingTimeInterval(60)), now: now)
            }
            #expect(try await server.api.get("/internal/statistics", token: try await token(.user)).status == 401)
            let trusted = try await token(.otp)
            let answer = try await server.api.get("/internal/statistics?days=3", token: trusted)
            #expect(answer.status == 200)
            #expect(
                answer.members == [
                    "days", "by_hour", "by_country", "by_channel", "by_prefix", "failures", "conversion",
                    "median_seconds_to_verify", "outbox_depth", "outbox_oldest_seconds", "as_of",
                ])
            let object = try #require(JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any])
            let days = try #require(object["days"] as? [[String: Any]])
            #expect(days.count == 3)
            let today = try #require(days.last)
            #expect(today["sent"] as? Int == 1 && today["submitted"] as? Int == 1 && today["verified"] as? Int == 1)
            #expect(today["delivered"] as? Int == 0 && today["failed"] as? Int == 0)
            #expect(try await server.api.get("/internal/statistics?days=0", token: trusted).status == 400)
            try await server.database.execute("UPDATE phones SET failures = 10, locked_until = 'infinity'")
            let unlock = "/internal/phones/\(phone.e164.replacingOccurrences(of: "+", with: "%2B"))/unlock"
            #expect(try await server.api.post(unlock, "").status == 401)
            #expect(try await server.api.post(unlock, "", token: trusted).status == 204)
            #expect(try await server.database.execute("SELECT failures FROM phones") == ["0"])
        }
    }

    @Test("internal paths are for admin-service alone, each time with a fresh token")
    func internalCallers() async throws {
        try await withOTPServer(delivers: false) { server in
            let now = Date()
            func token(_ caller: ServiceName, _ life: Double = 60) throws -> String {
                try server.signer.sign(
                    ServiceToken(service: caller, audience: .otp, expiresAt: now.addingTimeInterval(life)), now: now)
            }
            let router = PostkeyRouter(context: PostkeyRequestContext.self)
            server.assembly.add(to: router)
            let routes = router.routes.filter { $0.path.description.hasPrefix("/internal/") }
            #expect(routes.count >= 10)
            let strangers = [try token(.otp), try token(.user), try token(.admin, 86_400)]
            for route in routes {
                let path = route.path.description.replacing(/\{[a-z]+\}/, with: "IN")
                for stranger in strangers {
                    let answer = try await server.api.call(
                        route.method.rawValue, path, Array("{}".utf8), stranger, [("Content-Type", "application/json")])
                    #expect(answer.status == 401 && answer.problem == "invalid-token", "\(path)")
                }
            }
            #expect(try await server.api.get("/internal/budget", token: try token(.admin)).status == 200)
            #expect(try await server.database.execute("SELECT count(*) FROM destinations") == ["0"])
        }
    }

    @Test("OTP-18: a locked phone is told when to come back")
    func locked() async throws {
        try await withOTPServer { server in
            let phone = PhoneNumber.fresh()
            let challenge = try await server.challenge(phone)
            let code = try await server.codes(phone)[0]
            try await server.database.execute("UPDATE phones SET failures = 9")
            #expect(
                try await server.verify(challenge, try #require(OneTimeCode(code)).wrong.digits).problem
                    == "incorrect-code")
            let answer = try await server.verify(challenge, code)
            #expect(answer.status == 429 && answer.problem == "too-many-failures")
            #expect((840...900).contains(Int(answer.header("retry-after") ?? "") ?? 0))
            try await server.database.execute("UPDATE phones SET locked_until = now()")
            #expect(try await server.verify(challenge, code).status == 200)
        }
    }

    @Test("no code, key, digest or whole phone number is in a log or in the database")
    func secrecy() async throws {
        try await withOTPServer { server in
            let phones = (0..<5).map { _ in PhoneNumber.fresh() }
            var codes: [String] = []
            for phone in phones {
                let challenge = try await server.challenge(phone)
                let code = try await server.codes(phone)[0]
                codes.append(code)
                let wrong = try #require(OneTimeCode(code)).wrong.digits
                _ = try await server.verify(challenge, wrong)
                _ = try await server.verify(challenge, code)
                _ = try await server.wait(for: "submitted", of: challenge)
            }
            let log = server.log.text
            #expect(log.contains("/v1/otp/verify"))
            for phone in phones { #expect(!log.contains(phone.digits)) }
            // Six digits are also found in times and ids: they count only where they stand alone.
            let words = Set(log.split { !$0.isLetter && !$0.isNumber && $0 != "-" && $0 != "." }.map(String.init))
            for code in codes { #expect(!words.contains(code)) }
            #expect(!log.contains("kX3v9QwZ") && !log.contains("simulator-auth-key"))
            let columns = try await server.database.execute(
                "SELECT md5(digest) FROM challenges UNION SELECT id FROM (SELECT coalesce(reason, '') || coalesce(gateway_id, '') AS id FROM messages) m"
            )
            for code in codes { #expect(!columns.contains(code)) }
        }
    }

    @Test("old rows are forgotten, young ones and guessed phones are not")
    func retention() async throws {
        try await withOTPServer(delivers: false) { server in
            _ = try await server.send(.fresh())
            try await server.database.execute(
                """
                INSERT INTO challenges (id, phone, purpose, key_id, digest, code_length, max_attempts, created_at, expires_at)
                SELECT ('01600000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, '+919876543210', 'sign_in', 'k', '', 6, 5,
                    '2018-01-01', '2018-01-01' FROM generate_series(1, 6000) i;
                INSERT INTO messages (challenge_id, number, channel, state, due_at, created_at, updated_at)
                SELECT id, 0, 'sms', 'submitted', created_at, created_at, created_at FROM challenges WHERE created_at < '2020-01-01';
                INSERT INTO phones (phone, failures) VALUES ('+919876543210', 0), ('+919876543211', 7);
                INSERT INTO rate_limits (key, tat) SELECT 'old:' || i, 5 FROM generate_series(1, 12000) i;
                """)
            let retention = Retention(postgres: server.database.client, days: 30, logger: .init(label: "test"))
            // The young send's own limits may have run out by now too.
            #expect((24_001...24_003).contains(try await retention.purge()))
            #expect(try await server.database.execute("SELECT count(*) FROM challenges") == ["1"])
            #expect(try await server.database.execute("SELECT count(*) FROM messages") == ["1"])
            #expect(
                try await server.database.execute("SELECT count(*) FROM rate_limits WHERE key LIKE 'old:%'") == ["0"])
            #expect(try await server.database.execute("SELECT count(*) FROM phones") == ["2"])
        }
    }

    @Test("a key that was rotated away still verifies, and still sends the same code")
    func rotation() async throws {
        try await withOTPServer(delivers: false) { server in
            let phone = PhoneNumber.fresh()
            let challenge = try await server.challenge(phone)
            let id = try #require(ChallengeID(challenge))
            let code = try Keys.code(id, phone)
            let rotated = CodeKeys(current: Keys.newer, previous: Keys.code)
            let message = try #require(try await server.assembly.outbox.claim(1).first)
            let sent = rotated.code(
                for: id, phone: phone, purpose: .signIn, keyID: message.keyID, length: message.codeLength)
            #expect(sent == code)
            #expect(
                try await server.assembly.store.answer(id, rotated.candidates(code, for: id))
                    == .verified(phone: phone, purpose: .signIn))
        }
    }
}
