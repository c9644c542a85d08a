import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing

@testable import OTPService

@Suite("Outbox", .timeLimit(.minutes(5)))
struct OutboxTests {
    /// A store and outbox on a clock of the test's own.
    struct Bench: Sendable {
        let store: ChallengeStore
        let outbox: OTPOutbox
        let database: TestDatabase
        let start = Date(timeIntervalSince1970: 1_800_000_000)

        func after(_ seconds: Double) -> Date { start.addingTimeInterval(seconds) }

        @discardableResult
        func send(_ phone: PhoneNumber = .fresh(), at moment: Date? = nil) async throws -> ChallengeOrder {
            let order = try ModelTests.order(phone, .signIn, at: moment ?? start)
            let decision = try await store.send(order, network: "10.0.0.1", at: moment ?? start)
            guard case .accepted = decision else { throw Refused() }
            return order
        }

        func state(_ order: ChallengeOrder) async throws -> String? {
            try await database.execute(
                "SELECT state || ' ' || tries || ' ' || coalesce(reason, '') FROM messages WHERE challenge_id = '\(order.id)' AND number = 0"
            ).first ?? nil
        }

        struct Refused: Error {}
    }

    func withBench(_ body: (Bench) async throws -> Void) async throws {
        var limits = SendLimits.standard
        limits.network = RateLimit(100_000, per: 300)
        limits.prefix = RateLimit(100_000, per: 300)
        try await withTestDatabase(migrations: OTPService.migrationsDirectory, poolSize: 16) { database in
            try await body(
                Bench(
                    store: ChallengeStore(postgres: database.client, limits: limits),
                    outbox: OTPOutbox(postgres: database.client), database: database))
        }
    }

    @Test("three dispatchers share 300 messages: each is taken once")
    func claims() async throws {
        try await withBench { bench in
            for _ in 0..<300 { try await bench.send() }
            let taken = try await RaceTests.parallel(3) { _ in
                var all: [OTPMessage] = []
                while true {
                    let batch = try await bench.outbox.claim(7, at: bench.after(1))
                    if batch.isEmpty { return all }
                    all += batch
                }
            }
            #expect(taken.joined().count == 300)
            #expect(Set(taken.joined().map(\.correlation)).count == 300)
            #expect(
                taken.joined().allSatisfy { $0.tries == 1 && $0.waited == .seconds(1) && $0.remaining == .seconds(299) }
            )
        }
    }

    @Test("a lost lease is taken again after thirty seconds, with the same code, and the late report is ignored")
    func lostLease() async throws {
        try await withBench { bench in
            let order = try await bench.send()
            let first = try #require(try await bench.outbox.claim(10, at: bench.after(1)).first)
            // Its process dies here.
            #expect(try await bench.outbox.claim(10, at: bench.after(30)).isEmpty)
            let second = try #require(try await bench.outbox.claim(10, at: bench.after(31)).first)
            #expect(second.challengeID == order.id && second.tries == 2)
            let code = { (message: OTPMessage) in
                Keys.codes.code(
                    for: message.challengeID, phone: message.phone, purpose: message.purpose, keyID: message.keyID,
                    length: message.codeLength)
            }
            #expect(code(first) == code(second))
            #expect(try await bench.outbox.report([(first, .failed(reason: "late"))], at: bench.after(32)) == 0)
            #expect(try await bench.outbox.report([(second, .submitted(gatewayID: "abc"))], at: bench.after(33)) == 1)
            #expect(try await bench.state(order) == "submitted 2 ")
            #expect(try await bench.outbox.report([(second, .failed(reason: "again"))], at: bench.after(34)) == 0)
        }
    }

    @Test("a message given back is due after its pause")
    func pause() async throws {
        try await withBench { bench in
            let order = try await bench.send()
            let first = try #require(try await bench.outbox.claim(10, at: bench.after(1)).first)
            try await bench.outbox.report(
                [(first, .again(after: .milliseconds(2500), reason: "connect"))], at: bench.after(1))
            #expect(try await bench.outbox.claim(10, at: bench.after(3)).isEmpty)
            let second = try #require(try await bench.outbox.claim(10, at: bench.after(3.5)).first)
            #expect(second.tries == 2)
            #expect(try await bench.state(order) == "queued 2 connect")
        }
    }

    @Test("a code that died waiting is not sent, and neither is a used or superseded one")
    func dead() async throws {
        try await withBench { bench in
            let expired = try await bench.send()
            #expect(try await bench.outbox.claim(10, at: bench.after(300)).isEmpty)
            #expect(try await bench.state(expired) == "failed 0 expired")

            let used = try await bench.send(at: bench.after(400))
            let code = Keys.codes.candidates(try Keys.code(used.id, used.phone), for: used.id)
            _ = try await bench.store.answer(used.id, code, at: bench.after(401))
            #expect(try await bench.outbox.claim(10, at: bench.after(402)).isEmpty)
            #expect(try await bench.state(used) == "dropped 0 used")

            let old = try await bench.send(at: bench.after(500))
            let new = try await bench.send(old.phone, at: bench.after(531))
            let claimed = try await bench.outbox.claim(10, at: bench.after(532))
            #expect(claimed.map(\.challengeID) == [new.id])
            #expect(try await bench.state(old) == "dropped 0 superseded")
        }
    }

    @Test("a resend says that the code was sent before, once it was")
    func sentBefore() async throws {
        try await withBench { bench in
            let order = try await bench.send()
            let first = try #require(try await bench.outbox.claim(10, at: bench.after(1)).first)
            #expect(!first.sentBefore)
            try await bench.outbox.report([(first, .submitted(gatewayID: "abc"))], at: bench.after(2))
            _ = try await bench.store.resend(order.id, channel: .voice, network: "10.0.0.1", at: bench.after(30))
            let second = try #require(try await bench.outbox.claim(10, at: bench.after(31)).first)
            #expect(second.sentBefore && second.channel == .voice && second.number == 1)
        }
    }

    @Test("OBX-01: challenge and message are written together or not at all")
    func together() async throws {
        try await withBench { bench in
            try await bench.database.execute(
                """
                CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';
                CREATE TRIGGER fail BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION fail();
                """)
            await #expect(throws: PostgresError.self) { try await bench.send() }
            for table in ["phones", "challenges", "rate_limits", "messages"] {
                #expect(try await bench.database.execute("SELECT count(*) FROM \(table)") == ["0"], "\(table)")
            }
        }
    }

    @Test("OBX-08: the queue is read through its own small index, however long the history")
    func plan() async throws {
        try await withBench { bench in
            try await bench.database.execute(
                """
                INSERT INTO messages (challenge_id, number, channel, state, due_at, created_at, updated_at)
                SELECT gen_random_uuid(), 0, 'sms', 'submitted', now(), now(), now() FROM generate_series(1, 20000);
                ANALYZE messages;
                """)
            try await bench.send()
            for _ in 0..<20 { _ = try await bench.outbox.claim(10, at: bench.after(-1)) }
            // Connections report what they read when they have been idle for a while, or end.
            await bench.database.client.shutDown()
            let reads = try await bench.database.execute(
                "SELECT max(seq_scan) FROM pg_stat_user_tables WHERE relname ~ '^messages_'")
            #expect(Int(reads.last.flatMap { $0 } ?? "") ?? 99 <= 1)
            let indexed = try await bench.database.execute(
                """
                SELECT min(s.idx_scan) FROM pg_stat_user_indexes s JOIN pg_inherits i ON i.inhrelid = s.indexrelid
                WHERE i.inhparent = 'messages_queue'::regclass
                """)
            #expect(Int(indexed.last.flatMap { $0 } ?? "") ?? 0 >= 20)
        }
    }
}
