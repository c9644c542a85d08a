import Foundation
import Identity
import Logging
import Postgres
import PostgresTestKit
import Testing

@testable import OTPService

/// A hundred million challenges are thirty days of tables: what is asked all the time may not know of them.
@Suite("However many days have gone by", .timeLimit(.minutes(5)))
struct ManyDaysTests {
    /// Days that are over, as `maintain_days` leaves them, with a hundred challenges each.
    private static func addDays(_ count: Int, _ database: TestDatabase) async throws {
        try await database.execute(
            """
            DO $$
            DECLARE
                parent text; key text; day_table text; first uuid; last uuid; day timestamptz;
            BEGIN
                FOR i IN 2..\(count + 1) LOOP
                    day := date_trunc('day', now(), 'UTC') - i * interval '24 h';
                    FOREACH parent IN ARRAY ARRAY['challenges', 'messages'] LOOP
                        day_table := parent || '_' || to_char(day AT TIME ZONE 'UTC', 'YYYYMMDD');
                        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', day_table, parent);
                        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                            'past_' || parent, day_table, first_id(day), first_id(day + interval '24 h'));
                    END LOOP;
                    INSERT INTO past_challenges (id, phone, purpose, key_id, digest, code_length, max_attempts, created_at, expires_at)
                    SELECT first_id(day + n * interval '1 s'), '+919876543210', 'sign_in', 'k', '', 6, 5,
                        day + n * interval '1 s', day + n * interval '1 s' + interval '300 s'
                    FROM generate_series(1, 100) n;
                    INSERT INTO past_messages (challenge_id, number, channel, state, due_at, created_at, updated_at)
                    SELECT id, 0, 'sms', 'submitted', created_at, created_at, created_at
                    FROM past_challenges WHERE id >= first_id(day) AND id < first_id(day + interval '24 h');
                END LOOP;
            END $$;
            ANALYZE;
            """)
    }

    private static let past = """
        SELECT inhrelid FROM pg_inherits WHERE inhparent IN ('past_challenges'::regclass, 'past_messages'::regclass)
        """

    /// All that goes on while people sign in, reports come and operators look at the numbers of thirty days.
    private static func everything(_ database: TestDatabase) async throws {
        let client = database.client
        let store = ChallengeStore(postgres: client, limits: .standard)
        let outbox = OTPOutbox(postgres: client)
        let order = try ModelTests.order(.fresh(), .signIn, at: Date())
        _ = try await store.send(order, network: "10.0.0.1")
        let code = try Keys.code(order.id, order.phone)
        _ = try await store.answer(order.id, Keys.codes.candidates(code.wrong, for: order.id))
        _ = try await client.write("UPDATE phones SET resend_at = '-infinity'")
        _ = try await store.resend(order.id, channel: .sms, network: "10.0.0.1")
        let taken = try await outbox.claim(10)
        #expect(taken.count == 2)
        try await outbox.report(taken.map { ($0, .submitted(gatewayID: "abc")) })
        try await outbox.endDead()
        #expect(try await outbox.depth().count == 0)
        let reports = ReportStore(postgres: client)
        let report = DeliveryReport(name: MessageName(challengeID: order.id, number: 1), state: .delivered)
        #expect(try await reports.apply([report]).changed == 1)
        #expect(try await store.view(order.id)?.message == .delivered)
        _ = try await store.answer(order.id, Keys.codes.candidates(code, for: order.id))
        #expect(try await StatisticsStore(postgres: client).read(days: 30).total.verified >= 1)
        _ = try await CountStatistics(postgres: client, days: 30, logger: Logger(label: "test")).step()
        _ = try await DestinationEvaluator(postgres: client).evaluate()
    }

    @Test("sends, answers, look-ups, the outbox, reports and the numbers read no table of a day that is over")
    func reads() async throws {
        try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
            try await Self.addDays(30, database)
            #expect(try await database.execute("SELECT count(*) FROM (\(Self.past)) p") == ["60"])
            try await database.execute("SELECT pg_stat_reset()")
            for _ in 0..<8 { try await Self.everything(database) }
            // Connections report what they read when they end.
            await database.client.shutDown()
            let reads = try await database.execute(
                """
                SELECT relname FROM pg_stat_user_tables
                WHERE relid IN (\(Self.past)) AND coalesce(seq_scan, 0) + coalesce(idx_scan, 0) > 0
                """)
            #expect(reads.isEmpty, "\(reads)")
            let hot = try await database.execute(
                "SELECT sum(idx_scan) > 0 FROM pg_stat_user_tables WHERE relname ~ '_to_'")
            #expect(hot == ["t"])
        }
    }

    @Test(
        "the statements of the outbox, of a look-up and of the numbers lock as many tables after thirty days as after one",
        arguments: [1, 30])
    func locks(days: Int) async throws {
        try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
            try await Self.addDays(days, database)
            try await Self.everything(database)
            let id = try #require(try await database.execute("SELECT id FROM challenges").first ?? nil)
            for statement in [
                "SELECT count(*) FROM take_messages(NULL, 10, false, gen_random_uuid(), 30)",
                "SELECT end_dead_messages(NULL, 10)",
                "SELECT count(*) FROM challenges c JOIN messages m ON m.challenge_id = c.id WHERE c.id = '\(id)'",
                "SELECT count(*) FROM count_messages(now() - interval '20 min', now() + interval '24 h')",
                "SELECT count(*) FROM statistics WHERE since >= now() - interval '30 days'",
            ] {
                let locked = try await database.execute(
                    """
                    BEGIN; \(statement);
                    SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation IN (\(Self.past))
                    """)
                #expect(locked == ["0"], "\(statement)")
            }
        }
    }
}
