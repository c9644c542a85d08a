import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing

@testable import OTPService

/// Many at once, on a real PostgreSQL: who wins does not matter, how many win does.
@Suite("Races", .timeLimit(.minutes(5)))
struct RaceTests {
    static let wide = RateLimit(900, per: 300)

    static func withStore<Value: Sendable>(
        _ change: (inout SendLimits) -> Void = { _ in }, _ body: (ChallengeStore, TestDatabase) async throws -> Value
    ) async throws -> Value {
        var limits = SendLimits.standard
        limits.network = wide
        limits.prefix = wide
        change(&limits)
        return try await withTestDatabase(migrations: OTPService.migrationsDirectory, poolSize: 16) { database in
            try await body(ChallengeStore(postgres: database.client, limits: limits), database)
        }
    }

    static func parallel<Result: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) async throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: Result.self) { group in
            for index in 0..<count { group.addTask { try await body(index) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    static func order(_ phone: PhoneNumber, _ purpose: Purpose = .signIn) throws -> ChallengeOrder {
        try ModelTests.order(phone, purpose, at: Date())
    }

    @Test("RACE-03: 50 sends for one phone: one is accepted, also when the phone is new", arguments: [false, true])
    func sends(known: Bool) async throws {
        try await Self.withStore { store, database in
            for _ in 0..<5 {
                let phone = PhoneNumber.fresh()
                if known { try await database.execute("INSERT INTO phones (phone) VALUES ('\(phone.e164)')") }
                let decisions = try await Self.parallel(50) { index in
                    try await store.send(Self.order(phone), network: "10.0.0.\(index)")
                }
                let accepted = decisions.filter { if case .accepted = $0 { true } else { false } }
                let tooSoon = decisions.filter { if case .refused(.resendTooSoon) = $0 { true } else { false } }
                #expect(accepted.count == 1 && tooSoon.count == 49)
                let counts = try await database.execute(
                    """
                    SELECT count(*) || ' ' || (SELECT count(*) FROM messages m JOIN challenges c ON c.id = m.challenge_id
                        WHERE c.phone = '\(phone.e164)')
                    FROM challenges WHERE phone = '\(phone.e164)'
                    """)
                #expect(counts == ["1 1"])
            }
        }
    }

    @Test("RACE-01: 50 right answers: one proof")
    func rightAnswers() async throws {
        try await Self.withStore { store, _ in
            for _ in 0..<10 {
                let order = try Self.order(.fresh())
                _ = try await store.send(order, network: "10.0.0.1")
                let code = try Keys.code(order.id, order.phone)
                let decisions = try await Self.parallel(50) { _ in
                    try await store.answer(order.id, Keys.codes.candidates(code, for: order.id))
                }
                #expect(decisions.count { $0 == .verified(phone: order.phone, purpose: .signIn) } == 1)
                #expect(decisions.count { $0 == .notActive } == 49)
            }
        }
    }

    @Test("OTP-03: 50 wrong answers: five are judged, and the right one is too late")
    func wrongAnswers() async throws {
        try await Self.withStore { store, database in
            let order = try Self.order(.fresh())
            _ = try await store.send(order, network: "10.0.0.1")
            let code = try Keys.code(order.id, order.phone)
            let decisions = try await Self.parallel(50) { _ in
                try await store.answer(order.id, Keys.codes.candidates(code.wrong, for: order.id))
            }
            let left = decisions.compactMap { if case .incorrect(let left) = $0 { left } else { nil } }
            #expect(left.sorted() == [0, 1, 2, 3, 4])
            #expect(decisions.count { $0 == .notActive } == 45)
            let late = try await store.answer(order.id, Keys.codes.candidates(code, for: order.id))
            #expect(late == .notActive)
            #expect(try await database.execute("SELECT attempts FROM challenges") == ["5"])
            #expect(try await database.execute("SELECT failures FROM phones") == ["5"])
        }
    }

    @Test("wrong answers behind a row lock are still judged on what the row then says")
    func barrier() async throws {
        try await Self.withStore { store, database in
            let order = try Self.order(.fresh())
            _ = try await store.send(order, network: "10.0.0.1")
            let code = try Keys.code(order.id, order.phone)
            // Everybody has read the old row before anybody may write it.
            async let blocked: Void = database.client.transaction { transaction in
                _ = try await transaction.query("SELECT 1 FROM challenges FOR UPDATE")
                try await Task.sleep(for: .milliseconds(300))
            }
            try await Task.sleep(for: .milliseconds(100))
            let decisions = try await Self.parallel(20) { _ in
                try await store.answer(order.id, Keys.codes.candidates(code.wrong, for: order.id))
            }
            try await blocked
            #expect(decisions.count { if case .incorrect = $0 { true } else { false } } == 5)
        }
    }

    @Test("OTP-05: failures are counted over all challenges of a phone: ten are judged, then it is locked")
    func failures() async throws {
        try await Self.withStore({
            $0.cooldowns = [1]; $0.phone = nil; $0.phoneLonger = nil
        }) { store, database in
            let phone = PhoneNumber.fresh()
            var orders: [ChallengeOrder] = []
            for purpose in Purpose.allCases {
                let order = try Self.order(phone, purpose)
                try await database.execute("UPDATE phones SET resend_at = '-infinity'")
                _ = try await store.send(order, network: "10.0.0.1")
                orders.append(order)
            }
            let all = orders
            let decisions = try await Self.parallel(60) { index in
                let order = all[index % 3]
                let code = try Keys.code(order.id, phone, order.purpose)
                return try await store.answer(order.id, Keys.codes.candidates(code.wrong, for: order.id))
            }
            #expect(decisions.count { if case .incorrect = $0 { true } else { false } } == 10)
            #expect(decisions.contains { if case .locked(let wait) = $0 { wait > 800_000_000 } else { false } })
            #expect(try await database.execute("SELECT failures FROM phones") == ["10"])
            // The right code is refused too, until the lock has passed or an operator lifts it.
            let live = try #require(
                try await database.execute("SELECT id FROM challenges WHERE attempts < 5").compactMap { $0 }
                    .compactMap(ChallengeID.init).first)
            let order = try #require(orders.first { $0.id == live })
            let right = Keys.codes.candidates(try Keys.code(live, phone, order.purpose), for: live)
            guard case .locked = try await store.answer(live, right) else {
                Issue.record("a locked phone was judged")
                return
            }
            let (outcome, isKnown) = try await PhoneLockStore(postgres: database.client).unlock(phone)
            #expect(outcome == .new && isKnown)
            #expect(try await store.answer(live, right) == .verified(phone: phone, purpose: order.purpose))
        }
    }

    @Test("RACE-10: 100 sends to 100 phones from one network: exactly 25, and the refused ones are charged nothing")
    func network() async throws {
        try await Self.withStore({ $0.network = RateLimit(25, per: 300) }) { store, database in
            // At one moment, so that nothing comes back meanwhile, however slow the machine is.
            let moment = Date()
            let decisions = try await Self.parallel(100) { _ in
                try await store.send(Self.order(.fresh()), network: "10.0.0.1", at: moment)
            }
            #expect(decisions.count { if case .accepted = $0 { true } else { false } } == 25)
            #expect(decisions.count { if case .refused(.networkLimit) = $0 { true } else { false } } == 75)
            #expect(try await database.execute("SELECT count(*) FROM phones") == ["25"])
            let prefixes = try await database.execute("SELECT count(*) FROM rate_limits WHERE key LIKE 'prefix:%'")
            #expect(Int(prefixes.first.flatMap { $0 } ?? "") ?? 99 <= 25)
        }
    }

    @Test("SMS-02: 30 sends to one prefix: exactly 20, and the network pays for 20 only")
    func prefix() async throws {
        try await Self.withStore({ $0.prefix = RateLimit(20, per: 3600) }) { store, database in
            let decisions = try await Self.parallel(30) { index in
                let phone = try #require(PhoneNumber(e164: "+9198765\(10_000 + index)"))
                return try await store.send(Self.order(phone), network: "10.0.0.1")
            }
            #expect(decisions.count { if case .accepted = $0 { true } else { false } } == 20)
            #expect(decisions.count { if case .refused(.prefixLimit) = $0 { true } else { false } } == 10)
            #expect(try await database.execute("SELECT count(*) FROM phones") == ["20"])
            // 20 steps of a third of a second (900 in 300 s), give or take the time that the test took.
            let charged = try await database.execute(
                "SELECT (tat - extract(epoch FROM now()) * 1000000)::int8 FROM rate_limits WHERE key = 'network:10.0.0.1'"
            )
            #expect(Int(charged.first.flatMap { $0 } ?? "") ?? .max <= 20 * 333_333)
        }
    }

    @Test("everything at once, on few rows: no deadlock, no broken invariant")
    func chaos() async throws {
        try await Self.withStore({
            $0.cooldowns = [1, 1, 1]; $0.phone = nil; $0.phoneLonger = nil
        }) { store, database in
            let phones = (0..<4).compactMap { PhoneNumber(e164: "+91987654321\($0)") }
            let outbox = OTPOutbox(postgres: database.client)
            let ids = try await Self.parallel(300) { index -> ChallengeID? in
                let phone = phones[index % 4]
                switch index % 5 {
                case 0, 1:
                    _ = try await database.client.write(
                        "UPDATE phones SET resend_at = '-infinity' WHERE phone = \(phone.e164)::e164")
                    let order = try Self.order(phone, Purpose.allCases[index % 3])
                    guard case .accepted = try await store.send(order, network: "10.0.0.\(index % 2)") else {
                        return nil
                    }
                    let code = try Keys.code(order.id, phone, order.purpose)
                    _ = try await store.answer(
                        order.id, Keys.codes.candidates(index % 7 == 0 ? code : code.wrong, for: order.id))
                    return order.id
                case 2:
                    let live = try await database.client.read(
                        "SELECT sign_in FROM phones WHERE phone = \(phone.e164)::e164")
                    if let id = try live.first?.decode(column: 0, as: UUID?.self) ?? nil {
                        _ = try await store.resend(
                            ChallengeID(uuid: id), channel: .voice, network: "10.0.0.\(index % 2)")
                    }
                    return nil
                default:
                    let claimed = try await outbox.claim(5)
                    try await outbox.report(claimed.map { ($0, .submitted(gatewayID: "g")) })
                    return nil
                }
            }
            #expect(ids.contains { $0 != nil })
            let broken = try await database.execute(
                """
                SELECT id FROM challenges WHERE attempts > max_attempts
                UNION ALL SELECT c.id FROM challenges c LEFT JOIN messages m ON m.challenge_id = c.id AND m.number = 0
                    WHERE m.challenge_id IS NULL
                UNION ALL SELECT id FROM challenges WHERE resends <> (SELECT max(number) FROM messages WHERE challenge_id = id)
                """)
            #expect(broken == [])
        }
    }
}
