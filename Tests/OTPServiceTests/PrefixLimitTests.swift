import HTTPServer
import Identity
import PostgresTestKit
import ServiceTestKit
import Testing

@testable import OTPService

@Suite("Many sends to one block of numbers", .timeLimit(.minutes(5)))
struct PrefixLimitTests {
    @Test("SMS-02: over HTTP, from thirty networks: the block is throttled, other blocks are not")
    func prefixOverHTTP() async throws {
        try await withOTPServer(["OTP_SENDS_PER_PREFIX": "20/3600"], delivers: false) { server in
            for index in 0..<30 {
                let phone = try #require(PhoneNumber(e164: "+9198765\(10_000 + index)"))
                let answer = try await server.send(phone, headers: [("X-Forwarded-For", "203.0.113.\(index + 1)")])
                guard index >= 20 else {
                    #expect(answer.status == 202, "\(answer.text)")
                    continue
                }
                #expect(answer.status == 429 && answer.problem == "destination-throttled", "\(answer.text)")
                // One comes back in three minutes. What others used shows in no header.
                #expect((1...180).contains(Int(answer.header("retry-after") ?? "") ?? 0))
                #expect(answer.header("ratelimit") == nil)
            }
            for index in 0..<5 {
                let phone = try #require(PhoneNumber(e164: "+9198766\(10_000 + index)"))
                #expect(try await server.send(phone, headers: [("X-Forwarded-For", "203.0.113.30")]).status == 202)
            }
        }
    }

    @Test("each refusal is remembered of what it was about, and of nothing else")
    func remembered() throws {
        let phone = try #require(PhoneNumber(e164: "+919876543210"))
        let network = ClientAddress(try #require(IPAddress("203.0.113.9")))
        let challenge = ChallengeID()
        let all: [RefusedKey] = [.network(network), .phone(phone), .prefix(phone.prefix), .challenge(challenge)]
        let wait = 60_000_000
        let expected: [(SendRefusal, [RefusedKey])] = [
            (.resendTooSoon(wait: wait), [.phone(phone), .challenge(challenge)]),
            (.phoneLimit(wait: wait), [.phone(phone), .challenge(challenge)]),
            (.networkLimit(wait: wait), [.network(network)]), (.prefixLimit(wait: wait), [.prefix("+91987654")]),
            (.requestLimit(wait: wait), []), (.budget(wait: wait), []), (.destination(wait: wait), []),
        ]
        for (refusal, keys) in expected {
            let memory = RefusalMemory<SendRefusal>()
            // So often that it is remembered for a second.
            for _ in 0..<600 { memory.remember(refusal, challenge: challenge, phone: phone, network: network) }
            for key in all {
                let recalled = memory.recall(key)?.refusal
                #expect(recalled == (keys.contains(key) ? refusal : nil), "\(refusal) \(key)")
            }
        }
    }
}
