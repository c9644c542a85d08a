import Foundation
import Identity
import Logging
import Postgres
import PostgresTestKit
import Testing

@testable import OTPService

@Suite("Breakers of destinations", .timeLimit(.minutes(5)))
struct BreakerTests {
    static let start = Date(timeIntervalSince1970: 1_800_000_000)

    @Test("40 sends with less than a tenth verified trip it, 39 or a tenth do not")
    func trips() {
        for (sends, verified, state) in [
            (39, 0, Breaker.State.closed), (40, 0, .open), (40, 3, .open), (40, 4, .closed), (10_000, 999, .open),
            (10_000, 1000, .closed),
        ] {
            var breaker = Breaker(since: Self.start)
            let changed = breaker.evaluate(sends: sends, verified: verified, at: Self.start, BreakerPolicy())
            #expect(breaker.state == state && changed == (state == .open), "\(sends) \(verified)")
        }
    }

    @Test("after the cool-off it tries five: verified ones close it, none opens it for twice as long")
    func halfOpen() {
        let policy = BreakerPolicy()
        var breaker = Breaker(since: Self.start)
        _ = breaker.evaluate(sends: 40, verified: 0, at: Self.start, policy)
        #expect(breaker.until == Self.start.addingTimeInterval(900))
        let early = breaker.evaluate(sends: 0, verified: 0, at: Self.start.addingTimeInterval(899), policy)
        #expect(!early && breaker.state == .open)
        var now = Self.start.addingTimeInterval(900)
        let opened = breaker.evaluate(sends: 0, verified: 0, at: now, policy)
        #expect(opened && breaker.state == .halfOpen && breaker.trialsLeft == 5)
        var failing = breaker
        failing.trialsLeft = 0
        failing.trialSends = 5
        let failed = failing.evaluate(sends: 5, verified: 0, at: now, policy)
        #expect(failed && failing.state == .open && failing.trips == 2)
        #expect(failing.until == now.addingTimeInterval(1800))
        // Trials that other limits refused come back.
        breaker.trialsLeft = 0
        breaker.trialSends = 2
        now += 600
        let given = breaker.evaluate(sends: 2, verified: 0, at: now, policy)
        #expect(!given && breaker.trialsLeft == 3)
        breaker.trialVerified = 1
        let closed = breaker.evaluate(sends: 2, verified: 1, at: now, policy)
        #expect(closed && breaker == Breaker(since: now))
    }

    @Test("a cool-off is a day at most")
    func longest() {
        var breaker = Breaker(since: Self.start)
        breaker.trips = 40
        _ = breaker.evaluate(sends: 40, verified: 0, at: Self.start, BreakerPolicy())
        #expect(breaker.until == Self.start.addingTimeInterval(86_400))
    }

    /// Challenges of one block, made at `moment`, some of them verified, and what became of their messages.
    static func make(
        _ database: TestDatabase, _ count: Int, verified: Int, block: String = "+91987650", at moment: Date,
        state: String = "submitted", reachedGateway: Bool = true
    ) async throws {
        let milliseconds = Int(moment.timeIntervalSince1970 * 1000)
        try await database.execute(
            """
            WITH made AS (
            INSERT INTO challenges (id, phone, purpose, key_id, digest, code_length, max_attempts, created_at, expires_at,
                verified_at)
            SELECT (left(least_uuid(\(milliseconds) + i)::text, 14) || '7' || right(gen_random_uuid()::text, 21))::uuid,
                '\(block)' || lpad(i::text, 4, '0'), 'sign_in', 'k', '', 6, 5, now(), now() + interval '5 min',
                CASE WHEN i <= \(verified) THEN now() END
            FROM generate_series(1, \(count)) i
            RETURNING id)
            INSERT INTO messages (challenge_id, number, channel, state, due_at, created_at, updated_at, submitted_at)
            SELECT id, 0, 'sms', '\(state)', now(), now(), now(), \(reachedGateway ? "now()" : "NULL") FROM made
            """)
    }

    static func state(_ database: TestDatabase, _ name: String) async throws -> String? {
        try await database.execute(
            "SELECT state || ' ' || trips || ' ' || trials_left FROM destinations WHERE destination = '\(name)'"
        ).first
            ?? nil
    }

    @Test("a block of numbers that is pumped at just its own limit trips; its country, where people verify, does not")
    func atTheLimit() async throws {
        try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
            let evaluator = DestinationEvaluator(postgres: database.client)
            _ = try await evaluator.evaluate(at: Self.start)
            // What OTP_SENDS_PER_PREFIX=20/3600 lets through: a burst of twenty, then one in three minutes.
            try await Self.make(database, 20, verified: 0, at: Self.start)
            var trippedAt: Int?
            for minute in stride(from: 3, through: 120, by: 3) where trippedAt == nil {
                let now = Self.start.addingTimeInterval(Double(minute) * 60)
                try await Self.make(database, 1, verified: 0, at: now)
                try await Self.make(database, 5, verified: 4, block: "+9170000\(100 + minute)", at: now)
                _ = try await evaluator.evaluate(at: now.addingTimeInterval(130))
                if try await Self.state(database, "+91987650") == "open 1 0" { trippedAt = minute }
            }
            #expect(trippedAt == 60)
            #expect(try await Self.state(database, "IN") == nil)
        }
    }

    @Test("challenges are counted once, when they are ripe, for block and country; the block's breaker goes its way")
    func evaluator() async throws {
        try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
            let evaluator = DestinationEvaluator(postgres: database.client)
            #expect(try await evaluator.evaluate(at: Self.start)?.counts == [])
            // A country whose people verify, and one block whose do not.
            try await Self.make(database, 500, verified: 400, block: "+91700000", at: Self.start)
            try await Self.make(database, 45, verified: 0, at: Self.start)
            var now = Self.start.addingTimeInterval(60)
            #expect(try await evaluator.evaluate(at: now)?.counts == [])
            now = Self.start.addingTimeInterval(130)
            let counted = try #require(try await evaluator.evaluate(at: now)).counts
            #expect(
                Set(counted) == [
                    .init(name: "+91700000", sends: 500, verified: 400),
                    .init(name: "+91987650", sends: 45, verified: 0),
                    .init(name: "IN", sends: 545, verified: 400),
                ])
            #expect(try await evaluator.evaluate(at: now)?.counts == [])
            #expect(try await Self.state(database, "+91987650") == "open 1 0")
            #expect(try await Self.state(database, "IN") == nil)
            // An operator sees by what it was judged.
            let listed = try await DestinationStore(postgres: database.client).list(only: "+91987650", limit: 1)
            #expect(listed.destinations.map { [$0.sends, $0.verified] } == [[45, 0]])

            now += 901
            _ = try await evaluator.evaluate(at: now)
            #expect(try await Self.state(database, "+91987650") == "half_open 1 5")
            let store = DestinationStore(postgres: database.client)
            let taken = try await RaceTests.parallel(20) { _ in try await store.takeTrial("+91987650") }
            #expect(taken.count { $0 } == 5)
            #expect(try await !store.takeTrial("IN"))
            try await Self.make(database, 5, verified: 0, at: now)
            now += 130
            _ = try await evaluator.evaluate(at: now)
            #expect(try await Self.state(database, "+91987650") == "open 2 0")

            now += 1801
            // A pass counts ten minutes at most.
            for _ in 0..<4 { _ = try await evaluator.evaluate(at: now) }
            try await Self.make(database, 3, verified: 1, at: now)
            now += 130
            _ = try await evaluator.evaluate(at: now)
            #expect(try await Self.state(database, "+91987650") == "closed 0 0")
            try await evaluator.purge()
            #expect(try await Self.state(database, "+91987650") == nil)
        }
    }

    @Test("what never reached the gateway says nothing: after an outage no country is closed")
    func outage() async throws {
        try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
            let evaluator = DestinationEvaluator(postgres: database.client)
            var now = Self.start
            _ = try await evaluator.evaluate(at: now)
            for (state, reached) in [("queued", false), ("failed", false), ("dropped", false), ("unresolved", true)] {
                try await Self.make(database, 45, verified: 0, at: now, state: state, reachedGateway: reached)
                now += 130
                #expect(try await evaluator.evaluate(at: now)?.counts == [], "\(state)")
            }
            #expect(try await database.execute("SELECT count(*) FROM destinations") == ["0"])
            // A message that the gateway took and the operator refused was paid for.
            try await Self.make(database, 45, verified: 0, at: now, state: "failed")
            now += 130
            _ = try await evaluator.evaluate(at: now)
            #expect(try await Self.state(database, "+91987650") == "open 1 0")
        }
    }

    @Test("a country trips as well, and only one instance counts at a time")
    func country() async throws {
        try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
            let evaluator = DestinationEvaluator(postgres: database.client)
            _ = try await evaluator.evaluate(at: Self.start)
            // One from each of many blocks: no block has enough.
            for block in 0..<45 {
                try await Self.make(
                    database, 1, verified: 0, block: "+9198\(1000 + block)",
                    at: Self.start.addingTimeInterval(Double(block)))
            }
            let passes = try await RaceTests.parallel(8) { _ in
                try await evaluator.evaluate(at: Self.start.addingTimeInterval(200))
            }
            let pass: (counts: [DestinationEvaluator.Count], moves: [DestinationEvaluator.Move]) =
                try #require(passes.compactMap(\.self).first { !$0.counts.isEmpty })
            #expect(passes.compactMap(\.self).count { !$0.counts.isEmpty } == 1)
            let count = DestinationEvaluator.Count(name: "IN", sends: 45, verified: 0)
            #expect(pass.counts.filter { $0.name == "IN" } == [count])
            #expect(pass.moves == [DestinationEvaluator.Move(count: count, from: .closed, to: .open)])
            #expect(try await Self.state(database, "IN") == "open 1 0")
        }
    }

    @Test("the operator's word for the longest beginning counts most, then that for the country, then the breakers")
    func verdicts() throws {
        let board = DestinationBoard(
            store: DestinationStore(postgres: try Self.nowhere()), fraudGuard: .enforce)
        let phone = try PhoneNumber(parsing: "+919876543210", defaultRegion: nil)
        let now = ContinuousClock.now
        func verdict(_ entries: [(String, Breaker.State, DestinationOverride?)]) -> DestinationBoard.Verdict {
            board.renew(
                Dictionary(
                    uniqueKeysWithValues: entries.map {
                        ($0.0, .init(state: $0.1, opensAt: now + .seconds(90), override: $0.2))
                    }), isPaused: false)
            return board.verdict(phone, now: now)
        }
        #expect(verdict([]) == .pass)
        #expect(verdict([("+91987654", .open, nil)]) == .refuse(wait: 90_000_000, always: false))
        #expect(verdict([("IN", .open, nil)]) == .refuse(wait: 90_000_000, always: false))
        #expect(verdict([("+91987653", .open, nil), ("US", .open, nil)]) == .pass)
        #expect(verdict([("+91987654", .halfOpen, nil), ("IN", .halfOpen, nil)]) == .trial(["+91987654", "IN"]))
        #expect(verdict([("IN", .open, nil), ("+9198", .closed, .allowed)]) == .pass)
        #expect(verdict([("+9198", .closed, .blocked), ("+91987654", .open, .allowed)]) == .pass)
        #expect(
            verdict([("+9198", .closed, .allowed), ("+919876543", .closed, .blocked)])
                == .refuse(wait: 3_600_000_000, always: true))
        // A country's word is on its own breaker: its blocks keep theirs, unless a beginning of their numbers is allowed.
        #expect(verdict([("IN", .open, .allowed)]) == .pass)
        #expect(
            verdict([("IN", .open, .allowed), ("+91987654", .open, nil)]) == .refuse(wait: 90_000_000, always: false))
        #expect(verdict([("IN", .halfOpen, .allowed), ("+91987654", .halfOpen, nil)]) == .trial(["+91987654"]))
        #expect(verdict([("IN", .open, nil), ("+91987654", .open, nil), ("+91", .closed, .allowed)]) == .pass)
        #expect(verdict([("IN", .closed, .blocked)]) == .refuse(wait: 3_600_000_000, always: true))
        #expect(verdict([("IN", .closed, .blocked), ("+91", .closed, .allowed)]) == .pass)
    }

    @Test("destinations are countries and beginnings of numbers")
    func names() {
        #expect(DestinationName("+9198765")?.country == "IN")
        #expect(DestinationName("in")?.description == "IN")
        for text in ["", "+", "+0123", "9198", "XX", "IND", "+91 98", "+9198765432101234", "+91٣"] {
            #expect(DestinationName(text) == nil, "\(text)")
        }
    }

    private static func nowhere() throws -> PostgresClient {
        try PostgresClient(
            configuration: try PostgresConfiguration(
                url: "postgresql://127.0.0.1:1/none", applicationName: "tests", poolSize: 4),
            logger: .init(label: "tests"))
    }
}
