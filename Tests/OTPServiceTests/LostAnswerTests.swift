import Identity
import PostgresTestKit
import ServiceTestKit
import Testing

@testable import OTPService

/// The connection to the database dies at the commit, so that nobody knows whether it happened: the app is told to come back,
/// and its repeat must be safe whichever it was.
@Suite("A write whose outcome is unknown", .timeLimit(.minutes(5)))
struct LostAnswerTests {
    /// Everything of a send, a resend and an answer is one transaction, and each has the phone in it.
    static let events = ["insert or update on phones"]

    private let phone = PhoneNumber.fresh()

    /// Loses the answer, and asks the same again; the answer to that.
    private func again(
        _ link: LossyLink, _ fate: CommitFate, at events: [String] = Self.events,
        _ ask: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        let first = try await link.lose(fate, at: events, ask)
        #expect(first.status == 503 && first.problem == "service-unavailable", "\(first.status) \(first.text)")
        #expect((1...60).contains(Int(first.header("retry-after") ?? "") ?? 0))
        var second = try await ask()
        for _ in 0..<100 where second.status == 503 {
            try await Task.sleep(for: .milliseconds(100))
            second = try await ask()
        }
        return second
    }

    /// How many challenges and messages there are.
    private func rows(_ server: OTPServer) async throws -> [String?] {
        try await server.database.execute(
            "SELECT (SELECT count(*) FROM challenges) || ' ' || (SELECT count(*) FROM messages)")
    }

    private func cooldownIsOver(_ server: OTPServer) async throws {
        try await server.database.execute("UPDATE phones SET resend_at = now()")
    }

    /// The code that the phone has been sent is good, once.
    private func isGood(_ challenge: String, _ server: OTPServer) async throws {
        let code = try Keys.code(try #require(ChallengeID(challenge)), phone).digits
        let proof = try await server.verify(challenge, code)
        #expect(proof.status == 200, "\(proof.text)")
        #expect(try await server.verify(challenge, code).problem == "challenge-not-active")
    }

    @Test(
        "OPS-09: a send with its Idempotency-Key is one message, whose answer the repeat gets, and which goes out",
        arguments: CommitFate.allCases)
    func sendWithKey(fate: CommitFate) async throws {
        try await withOTPServerOnLossyLink(delivers: true) { server, link in
            let headers = [("Idempotency-Key", "sign-in 1")]
            let second = try await again(link, fate) { try await server.send(phone, headers: headers) }
            #expect(second.status == 202, "\(second.text)")
            let challenge = try #require(second.string("challenge_id"))
            #expect(try await server.send(phone, headers: headers).body == second.body)
            #expect(try await rows(server) == ["1 1"])
            // Nobody rang the dispatcher of the one that was committed; it looks by itself.
            let codes = try await server.codes(phone, within: .seconds(60))
            #expect(codes == [try Keys.code(try #require(ChallengeID(challenge)), phone).digits])
            try await isGood(challenge, server)
        }
    }

    @Test(
        "a send without a key brings no second message before the cooldown is over, and a new code after it",
        arguments: CommitFate.allCases)
    func send(fate: CommitFate) async throws {
        try await withOTPServerOnLossyLink(delivers: false) { server, link in
            var second = try await again(link, fate) { try await server.send(phone) }
            #expect(try await rows(server) == ["1 1"])
            if fate == .committed {
                #expect(second.status == 429 && second.problem == "resend-too-soon", "\(second.text)")
                #expect((1...30).contains(Int(second.header("retry-after") ?? "") ?? 0))
                try await cooldownIsOver(server)
                second = try await server.send(phone)
                #expect(try await rows(server) == ["2 2"])
            }
            #expect(second.status == 202, "\(second.text)")
            try await isGood(try #require(second.string("challenge_id")), server)
        }
    }

    @Test("a resend happens once before the cooldown is over, with the same code", arguments: CommitFate.allCases)
    func resend(fate: CommitFate) async throws {
        try await withOTPServerOnLossyLink(delivers: false) { server, link in
            let challenge = try await server.challenge(phone)
            try await cooldownIsOver(server)
            let second = try await again(link, fate) {
                try await server.api.post("/v1/otp/resend", #"{"challenge_id":"\#(challenge)"}"#)
            }
            switch fate {
            case .committed: #expect(second.status == 429 && second.problem == "resend-too-soon", "\(second.text)")
            case .rolledBack: #expect(second.status == 202 && second.string("challenge_id") == challenge)
            }
            #expect(try await rows(server) == ["1 2"])
            #expect(try await server.database.execute("SELECT resends FROM challenges") == ["1"])
            try await isGood(challenge, server)
        }
    }

    @Test(
        "a right answer is a proof, or the code is said to be over and a new one can be had at once",
        arguments: CommitFate.allCases)
    func rightAnswer(fate: CommitFate) async throws {
        try await withOTPServerOnLossyLink(delivers: false) { server, link in
            let challenge = try await server.challenge(phone)
            let code = try Keys.code(try #require(ChallengeID(challenge)), phone).digits
            let second = try await again(link, fate) { try await server.verify(challenge, code) }
            switch fate {
            case .committed:
                #expect(second.status == 410 && second.problem == "challenge-not-active", "\(second.text)")
                // Without a wait, though the last message is younger than the cooldown.
                try await isGood(try await server.challenge(phone), server)
            case .rolledBack:
                #expect(second.status == 200 && second.string("verification_token") != nil, "\(second.text)")
            }
        }
    }

    @Test("a wrong answer costs no more than one attempt each time it is given", arguments: CommitFate.allCases)
    func wrongAnswer(fate: CommitFate) async throws {
        try await withOTPServerOnLossyLink(delivers: false) { server, link in
            let challenge = try await server.challenge(phone)
            let wrong = try Keys.code(try #require(ChallengeID(challenge)), phone).wrong.digits
            let second = try await again(link, fate) { try await server.verify(challenge, wrong) }
            #expect(second.problem == "incorrect-code", "\(second.text)")
            #expect(second.integer("attempts_left") == (fate == .committed ? 3 : 4))
            try await isGood(challenge, server)
        }
    }

    @Test(
        "what an operator decided holds after the repeat",
        arguments: [
            ("/internal/destinations/IN/block", "insert or update on destinations", "destination-throttled"),
            ("/internal/budget/pause", "update on sending_switch", "sms-budget-exhausted"),
        ], CommitFate.allCases)
    func operators(decision: (path: String, event: String, problem: String), fate: CommitFate) async throws {
        try await withOTPServerOnLossyLink(delivers: false) { server, link in
            let token = try await OperatorRouteTests.token(server)
            let second = try await again(link, fate, at: [decision.event]) {
                try await server.api.post(decision.path, #"{"reason":"pumping"}"#, token: token)
            }
            #expect(second.status == 200 && second.string("reason") == "pumping", "\(second.text)")
            #expect(try await server.send(phone).problem == decision.problem)
        }
    }
}
