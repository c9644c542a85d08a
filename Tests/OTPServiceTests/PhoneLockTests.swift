import Foundation
import Identity
import PostgresTestKit
import ServiceTestKit
import Testing
import Tokens

@testable import OTPService

/// `GET /internal/challenges?phone=` says how the phone stands, so that support need not guess.
@Suite("Locks of phones")
struct PhoneLockTests {
    @Test(
        "OTP-18: an open, a temporary and a permanent lock are told, each as answers are judged",
        arguments: [
            ("failures = 3", "open", 3), ("failures = 10, locked_until = now() - interval '1 s'", "open", 10),
            ("failures = 20, locked_until = now() + interval '10 min'", "temporary", 20),
            ("failures = 100, locked_until = 'infinity'", "permanent", 100),
        ])
    func states(columns: String, state: String, failures: Int) async throws {
        try await withOTPServer { server in
            let phone = PhoneNumber.fresh()
            let challenge = try await server.challenge(phone)
            let code = try await server.codes(phone)[0]
            try await server.database.execute("UPDATE phones SET \(columns)")
            let lock = try await Self.lock(of: phone, server)
            #expect(lock["state"] as? String == state && lock["failures"] as? Int == failures)
            #expect((lock["until"] != nil) == (state == "temporary"))
            if let until = (lock["until"] as? String) {
                let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
                let wait = try style.parse(until).timeIntervalSinceNow
                #expect((500...600).contains(wait))
            }
            #expect(try await server.verify(challenge, code).status == (state == "open" ? 200 : 429))
            let unlock = "/internal/phones/%2B\(phone.digits)/unlock"
            let token = try Self.token(server)
            #expect(try await server.api.post(unlock, "", token: token).status == 204)
            let lifted = try await Self.lock(of: phone, server)
            #expect(lifted["state"] as? String == "open" && lifted["failures"] as? Int == 0)
        }
    }

    @Test("wrong codes are counted in it; a phone that nobody knows has no lock, and the list of all tells of none")
    func counted() async throws {
        try await withOTPServer { server in
            let phone = PhoneNumber.fresh()
            let stranger = try await Self.lock(of: phone, server)
            #expect(stranger["state"] as? String == "open" && stranger["failures"] as? Int == 0)
            let challenge = try await server.challenge(phone)
            let right = try await server.codes(phone)[0]
            for _ in 0..<2 { _ = try await server.verify(challenge, right == "000000" ? "000001" : "000000") }
            #expect(try await Self.lock(of: phone, server)["failures"] as? Int == 2)
            let all = try await server.api.get("/internal/challenges", token: try Self.token(server))
            #expect(all.status == 200 && !all.text.contains("\"lock\""))
        }
    }

    private static func token(_ server: OTPServer) throws -> String {
        let now = Date()
        return try server.signer.sign(
            ServiceToken(service: .admin, audience: .otp, expiresAt: now.addingTimeInterval(60)), now: now)
    }

    private static func lock(of phone: PhoneNumber, _ server: OTPServer) async throws -> [String: Any] {
        let answer = try await server.api.get(
            "/internal/challenges?phone=%2B\(phone.digits)", token: try Self.token(server))
        let body = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
        return try #require(body?["lock"] as? [String: Any])
    }
}
