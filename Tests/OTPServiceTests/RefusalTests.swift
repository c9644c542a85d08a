import Foundation
import HTTPServer
import Identity
import Postgres
import PostgresTestKit
import ServiceTestKit
import Testing

@testable import OTPService

@Suite("Remembered refusals", .timeLimit(.minutes(5)))
struct RefusalTests {
    static let phone = RefusedKey.prefix("+91987654")

    @Test("once is judged afresh at once, hundreds of times are remembered for a second, and never beyond the end")
    func streaks() {
        let memory = RefusalMemory<Int>()
        var now = ContinuousClock.now
        memory.remember(Self.phone, 1, wait: 30_000_000, now: now)
        #expect(memory.recall(Self.phone, now: now + .milliseconds(1))?.wait == 29_999_000)
        #expect(memory.recall(Self.phone, now: now + .milliseconds(3)) == nil)
        for _ in 0..<600 {
            now += .milliseconds(1)
            if memory.recall(Self.phone, now: now) == nil { memory.remember(Self.phone, 1, wait: 30_000_000, now: now) }
        }
        memory.remember(Self.phone, 1, wait: 30_000_000, now: now)
        #expect(memory.recall(Self.phone, now: now + .milliseconds(990)) != nil)
        #expect(memory.recall(Self.phone, now: now + .milliseconds(1000)) == nil)
        memory.remember(Self.phone, 1, wait: 100_000, now: now + .milliseconds(1001))
        #expect(memory.recall(Self.phone, now: now + .milliseconds(1102)) == nil)
        // After a second of silence it begins anew.
        now += .seconds(5)
        memory.remember(Self.phone, 1, wait: 30_000_000, now: now)
        #expect(memory.recall(Self.phone, now: now + .milliseconds(3)) == nil)
        memory.remember(Self.phone, 1, wait: 30_000_000, now: now)
        memory.forget(Self.phone)
        #expect(memory.recall(Self.phone, now: now) == nil)
    }

    @Test("a million numbers take no more room than a few thousand")
    func bounded() {
        var table = RecentTable<Int, Int>(capacity: 1000)
        for number in 0..<100_000 {
            table[number] = number
            if number.isMultiple(of: 3) { table[number] = nil }
            if number.isMultiple(of: 5) { table[number - 1] = 1 }
        }
        #expect(table.count <= 1000)
        #expect(table[99_998] == 99_998 && table[1] == nil)
    }

    @Test("an attack costs no SQL: while it goes on, refusals come although the statement is gone")
    func noSQL() async throws {
        try await withOTPServer(["OTP_SENDS_PER_NETWORK": "1/300"], delivers: false) { server in
            let attacker = [("X-Forwarded-For", "203.0.113.66")]
            _ = try await server.send(.fresh(), headers: attacker)
            let attack = { (count: Int) in
                try await RaceTests.parallel(count) { _ in
                    try await server.send(.fresh(), headers: attacker).status
                }
            }
            // Those that come when a second is over would ask; on a slow machine these may be all of one round.
            var refused = 0
            for _ in 0..<10 where refused < 30 {
                #expect(try await attack(1500).allSatisfy { $0 == 429 })
                _ = try await server.database.client.write("ALTER FUNCTION order_code RENAME TO order_code_gone")
                refused = try await attack(200).count { $0 == 429 }
                try await server.database.execute("ALTER FUNCTION order_code_gone RENAME TO order_code")
            }
            #expect(refused >= 30)
            // What is lifted is lifted within a second.
            try await server.database.execute("DELETE FROM rate_limits")
            try await Task.sleep(for: .milliseconds(1100))
            #expect(try await server.send(.fresh(), headers: attacker).status == 202)
        }
    }

    @Test("whoever has answered may ask again at once: what was remembered of the phone is forgotten")
    func forgotten() async throws {
        try await withOTPServer(delivers: false) { server in
            let phone = PhoneNumber.fresh()
            let challenge = try await server.challenge(phone)
            let code = try Keys.code(try #require(ChallengeID(challenge)), phone).digits
            // So many in a row that the refusal is remembered for most of a second.
            let early = try await RaceTests.parallel(400) { _ in try await server.send(phone).problem }
            #expect(early.allSatisfy { $0 == "resend-too-soon" })
            #expect(try await server.verify(challenge, code).status == 200)
            #expect(try await server.send(phone).status == 202)
        }
    }

    @Test("guessing on a dead challenge and on a locked phone costs no commit")
    func answers() async throws {
        try await RaceTests.withStore { store, database in
            let order = try RaceTests.order(.fresh())
            _ = try await store.send(order, network: "10.0.0.1")
            let code = try Keys.code(order.id, order.phone)
            try await database.execute("UPDATE phones SET failures = 10, locked_until = now() + interval '1 min'")
            for _ in 0..<5 {
                guard
                    case .locked(let wait) = try await store.answer(
                        order.id, Keys.codes.candidates(code, for: order.id))
                else {
                    Issue.record("a locked phone was judged")
                    return
                }
                #expect((20_000_000...60_000_000).contains(wait))
                #expect(
                    try await store.answer(ChallengeID(), Keys.codes.candidates(code, for: order.id)) == .notActive)
            }
            // Whoever locks a row leaves its transaction's number there.
            #expect(try await database.execute("SELECT xmax FROM phones") == ["0"])
            #expect(try await database.execute("SELECT xmax FROM challenges") == ["0"])
        }
    }
}
