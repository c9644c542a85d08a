import Identity
import Postgres
import PostgresTestKit
import ServiceTestKit
import Testing

@testable import OTPService

@Suite("Answer and resend at once", .timeLimit(.minutes(5)))
struct AnswerAndResendTests {
    static let limits = ["OTP_SENDS_PER_PREFIX": "100000/60", "OTP_SENDS_PER_NETWORK": "100000/60"]

    /// Asks for a code whose cooldown has passed.
    private func start(_ server: OTPServer) async throws -> (challenge: String, code: String) {
        let phone = PhoneNumber.fresh()
        let challenge = try await server.challenge(phone)
        _ = try await server.database.client.write(
            "UPDATE phones SET resend_at = '-infinity' WHERE phone = \(phone.e164)::e164")
        return (challenge, try Keys.code(try #require(ChallengeID(challenge)), phone).digits)
    }

    private func resend(_ server: OTPServer, _ challenge: String) async throws -> Answer {
        try await server.api.post("/v1/otp/resend", #"{"challenge_id":"\#(challenge)"}"#)
    }

    /// Both at once, and each again afterwards; whether the resend came first.
    private func race(
        _ server: OTPServer, _ another: OTPServer, _ challenge: String, _ code: String
    ) async throws -> Bool {
        async let verifying = server.verify(challenge, code)
        async let resending = resend(another, challenge)
        let (verified, resent) = (try await verifying, try await resending)
        #expect(verified.status == 200, "\(verified.text)")
        #expect(
            resent.status == 202 || (resent.status == 410 && resent.problem == "challenge-not-active"), "\(resent.text)"
        )
        let again = try await server.verify(challenge, code)
        #expect(again.status == 410 && again.problem == "challenge-not-active")
        let late = try await resend(server, challenge)
        #expect(late.status == 410)
        #expect(try await server.api.get("/v1/otp/challenges/\(challenge)").string("status") == "verified")
        return resent.status == 202
    }

    @Test("RACE-04: a hundred rounds: each code is good once, and a resend that comes after the answer is refused")
    func rounds() async throws {
        // Nobody delivers: the rows stay as the two left them.
        try await withOTPServer(Self.limits, delivers: false) { server in
            let resent = try await server.withAnotherInstance(delivers: false) { another in
                try await RaceTests.parallel(4) { _ in
                    var resent = 0
                    for _ in 0..<25 {
                        let (challenge, code) = try await start(server)
                        if try await race(server, another, challenge, code) { resent += 1 }
                    }
                    return resent
                }
            }
            try await check(server, challenges: 100, resends: resent.reduce(0, +))
        }
    }

    @Test("RACE-04: the same when both have read the living challenge before either may write")
    func barrier() async throws {
        try await withOTPServer(Self.limits, delivers: false) { server in
            try await server.withAnotherInstance(delivers: false) { another in
                try await behindLocks(server, another)
            }
        }
    }

    private func behindLocks(_ server: OTPServer, _ another: OTPServer) async throws {
        var (verified, resent, rounds) = (0, 0, 0)
        // On a slow machine a lock may be waited for too long, which is 503 and proves nothing.
        for _ in 0..<40 where rounds < 6 {
            let (challenge, code) = try await start(server)
            let statuses = try await bothBehindALock(server, another, challenge, code)
            #expect([200, 503].contains(statuses.verify) && [202, 410, 503].contains(statuses.resend), "\(statuses)")
            verified += statuses.verify == 200 ? 1 : 0
            resent += statuses.resend == 202 ? 1 : 0
            guard statuses.verify == 200, statuses.resend != 503 else { continue }
            rounds += 1
            #expect(try await server.verify(challenge, code).status == 410)
        }
        #expect(rounds == 6)
        let rows = try await server.database.execute(
            """
            SELECT count(verified_at) || ' ' || sum(attempts) || ' ' || sum(resends) || ' '
                || (SELECT count(*) FROM messages WHERE number > 0)
            FROM challenges
            """)
        #expect(rows == ["\(verified) \(verified) \(resent) \(resent)"])
        #expect(try await Self.resentAfterwards(server) == [])
    }

    /// Challenges that a resend changed last, after the answer that used them: it is of the message's own transaction.
    private static func resentAfterwards(_ server: OTPServer) async throws -> [String?] {
        try await server.database.execute(
            """
            SELECT id FROM challenges c JOIN messages m ON m.challenge_id = c.id
            WHERE m.number > 0 AND m.xmin = c.xmin AND c.verified_at IS NOT NULL
            """)
    }

    private func bothBehindALock(
        _ server: OTPServer, _ another: OTPServer, _ challenge: String, _ code: String
    ) async throws -> (verify: Int, resend: Int) {
        async let held: Void = server.database.client.transaction { transaction in
            _ = try await transaction.query(
                "SELECT 1 FROM phones JOIN challenges USING (phone) WHERE id = \(challenge)::uuid FOR UPDATE")
            try await Task.sleep(for: .milliseconds(100))
        }
        try await Task.sleep(for: .milliseconds(20))
        async let verifying = server.verify(challenge, code).status
        async let resending = resend(another, challenge).status
        let statuses = (try await verifying, try await resending)
        try await held
        return statuses
    }

    /// What every history must leave behind.
    private func check(_ server: OTPServer, challenges: Int, resends: Int) async throws {
        let rows = try await server.database.execute(
            """
            SELECT count(*) || ' ' || count(verified_at) || ' ' || sum(attempts) || ' ' || sum(resends) || ' '
                || (SELECT count(*) FROM messages)
            FROM challenges
            """)
        #expect(rows == ["\(challenges) \(challenges) \(challenges) \(resends) \(challenges + resends)"])
        #expect(try await Self.resentAfterwards(server) == [])
    }
}
