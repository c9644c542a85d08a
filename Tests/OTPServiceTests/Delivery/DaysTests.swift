import Foundation
import Identity
import Logging
import Migrations
import Postgres
import PostgresTestKit
import Testing

@testable import OTPService

@Suite("Days of challenges and messages", .timeLimit(.minutes(5)))
struct DaysTests {
    static let day: TimeInterval = 86_400

    /// The least id of a moment, as `first_id` makes it, with a tail of one's own.
    static func id(_ moment: Date, _ tail: Int = Int.random(in: 0..<1 << 40)) -> String {
        let milliseconds = String(Int(moment.timeIntervalSince1970 * 1000), radix: 16)
        let text = String(repeating: "0", count: 12 - milliseconds.count) + milliseconds
        let rest = String(tail, radix: 16)
        return text.prefix(8) + "-" + text.suffix(4) + "-7000-8000-"
            + String(repeating: "0", count: 12 - rest.count) + rest
    }

    static func insert(_ id: String, at moment: Date, phone: String = "+919876543210", state: String = "submitted")
        -> String
    {
        let time = "to_timestamp(\(moment.timeIntervalSince1970))"
        return """
            INSERT INTO challenges (id, phone, purpose, key_id, digest, code_length, max_attempts, created_at, expires_at)
            VALUES ('\(id)', '\(phone)', 'sign_in', 'k', '', 6, 5, \(time), \(time) + interval '300 s');
            INSERT INTO messages (challenge_id, number, channel, state, tries, due_at, created_at, submitted_at, updated_at)
            VALUES ('\(id)', 0, 'sms', '\(state)', 1, \(time), \(time), \(time), \(time));
            """
    }

    /// The day that a challenge lies in, `challenges_20261124`.
    static func place(_ id: String, _ database: TestDatabase) async throws -> String? {
        try await database.execute(
            """
            SELECT tableoid::regclass::text FROM challenges WHERE id = '\(id)'
            UNION ALL SELECT tableoid::regclass::text FROM past_challenges WHERE id = '\(id)'
            """
        ).first ?? nil
    }

    @Test("OPS-12: days are made ahead, leave the hot tables after yesterday, and are dropped at the end")
    func life() async throws {
        try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
            let retention = Retention(postgres: database.client, days: 30, logger: Logger(label: "test"))
            let today = Date()
            let tomorrow = today.addingTimeInterval(Self.day)
            #expect(try await retention.maintainDays(at: today) == ["made": 2])
            #expect(try await retention.maintainDays(at: today).isEmpty)
            let id = Self.id(tomorrow)
            try await database.execute(Self.insert(id, at: tomorrow))
            let place = try #require(try await Self.place(id, database))
            #expect(place.hasPrefix("challenges_20"))

            #expect(try await retention.maintainDays(at: tomorrow) == ["made": 2])
            let later = tomorrow.addingTimeInterval(2 * Self.day)
            // Today's table has all days before it too; it goes first.
            #expect(try await retention.maintainDays(at: later) == ["made": 4, "closed": 4, "archived": 4])
            #expect(try await database.execute("SELECT count(*) FROM challenges WHERE id = '\(id)'") == ["0"])
            #expect(try await database.execute("SELECT count(*) FROM past_challenges WHERE id = '\(id)'") == ["1"])
            #expect(try await database.execute("SELECT count(*) FROM past_messages") == ["1"])
            #expect(try await Self.place(id, database) == place, "the same table, nothing was copied")

            // The day of tomorrow ends, and thirty days after that it may go.
            let end = tomorrow.addingTimeInterval(30 * Self.day)
            _ = try await retention.maintainDays(at: end)
            #expect(try await Self.place(id, database) == place)
            let steps = try await retention.maintainDays(at: end.addingTimeInterval(Self.day))
            #expect(steps["dropped"] ?? 0 >= 2)
            #expect(try await Self.place(id, database) == nil)
            // What the hot tables have is yesterday, today, tomorrow at most, and the default.
            let hot = try await database.execute(
                "SELECT count(*) FROM pg_inherits WHERE inhparent = 'challenges'::regclass")
            #expect(Int(hot.first.flatMap { $0 } ?? "") ?? 99 <= 4)
        }
    }

    @Test("a send never fails for want of a day: the default takes it, and gives it back")
    func defaultDay() async throws {
        try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
            let moment = Date().addingTimeInterval(10 * Self.day)
            let id = Self.id(moment)
            try await database.execute(Self.insert(id, at: moment))
            #expect(try await Self.place(id, database) == "challenges_default")
            let retention = Retention(postgres: database.client, days: 30, logger: Logger(label: "test"))
            _ = try await retention.maintainDays(at: moment)
            #expect(try await Self.place(id, database)?.hasPrefix("challenges_20") == true)
            #expect(try await database.execute("SELECT count(*) FROM messages_default") == ["0"])
        }
    }

    @Test("two instances at once do everything once")
    func together() async throws {
        try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
            let retention = Retention(postgres: database.client, days: 30, logger: Logger(label: "test"))
            let later = Date().addingTimeInterval(3 * Self.day)
            let done = try await RaceTests.parallel(4) { _ in try await retention.maintainDays(at: later) }
            let rest = try await retention.maintainDays(at: later)
            let total = (done + [rest]).flatMap { $0.values }.reduce(0, +)
            // The two days of messages and of challenges are made, the one there was is closed and archived.
            #expect(total == 8)
        }
    }

    @Test("hot statements look at the one day of their id")
    func pruning() async throws {
        try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
            for _ in 0..<6 { try await database.execute("SELECT maintain_days(now() + interval '1 day', 30)") }
            try await database.execute("SELECT pg_stat_reset()")
            var limits = SendLimits.standard
            limits.network = RateLimit(100_000, per: 300)
            limits.prefix = RateLimit(100_000, per: 300)
            let store = ChallengeStore(postgres: database.client, limits: limits)
            let outbox = OTPOutbox(postgres: database.client)
            for _ in 0..<20 {
                let order = try ModelTests.order(.fresh(), .signIn, at: Date())
                _ = try await store.send(order, network: "10.0.0.1")
                let code = try Keys.code(order.id, order.phone)
                _ = try await store.answer(order.id, Keys.codes.candidates(code.wrong, for: order.id))
                let taken = try await outbox.claim(10)
                #expect(taken.count == 1)
                try await outbox.report(taken.map { ($0, .submitted(gatewayID: "abc")) })
                _ = try await ReportStore(postgres: database.client).apply(
                    [DeliveryReport(name: MessageName(challengeID: order.id, number: 0), state: .delivered)])
                #expect(try await store.view(order.id)?.message == .delivered)
            }
            await database.client.shutDown()
            // The queue of each day is looked at, which is empty elsewhere; what is found by id is in one day.
            let reads = try await database.execute(
                """
                SELECT relname || ' ' || sum(idx_scan) FROM pg_stat_user_indexes
                WHERE relname ~ '^(challenges|messages)_' AND relname !~ '_to_' AND indexrelname ~ 'pkey' AND idx_scan > 0
                GROUP BY relname
                """)
            #expect(reads.isEmpty, "\(reads)")
            let scans = try await database.execute(
                "SELECT sum(seq_scan) FROM pg_stat_user_tables WHERE relname ~ '^(challenges|messages)_20'")
            #expect(scans == ["0"], "\(scans)")
        }
    }

    @Test("every function that looks for ids keeps the plan that leads to one day")
    func plans() async throws {
        try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
            // Whoever forbids long scans looks for ids. count_messages looks at a span: a plan for it names its days.
            let others = try await database.execute(
                """
                SELECT proname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
                WHERE l.lanname = 'plpgsql' AND pronamespace = 'public'::regnamespace AND proname <> 'count_messages'
                    AND ('enable_seqscan=off' = ANY (proconfig)
                        OR prosrc ~ '(challenges|messages) [cm]\\M' AND prosrc ~ '_challenge\\M')
                    AND NOT coalesce('plan_cache_mode=force_generic_plan' = ANY (proconfig), false)
                """)
            #expect(others.isEmpty, "\(others): SET plan_cache_mode = force_generic_plan")
            let some = try await database.execute(
                "SELECT count(*) > 8 FROM pg_proc WHERE 'plan_cache_mode=force_generic_plan' = ANY (proconfig)")
            #expect(some == ["t"])
        }
    }

    @Test("what was there before there were days is all there afterwards")
    func migration() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "postkey-days-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = try FileManager.default.contentsOfDirectory(atPath: OTPService.migrationsDirectory.path)
        func copy(_ names: [String]) throws {
            for name in names {
                try FileManager.default.copyItem(
                    at: OTPService.migrationsDirectory.appending(path: name), to: folder.appending(path: name))
            }
        }
        try copy(files.filter { $0 < "0006" })
        try await withTestDatabase { database in
            let configuration = try database.cluster.configuration(database.name)
            _ = try await MigrationSet(directory: folder).apply(to: configuration, logger: Logger(label: "test"))
            let now = Date()
            let ids = [-40 * Self.day, -3 * Self.day, -60, 0, 5 * Self.day].map { Self.id(now.addingTimeInterval($0)) }
            for (id, offset) in zip(ids, [-40 * Self.day, -3 * Self.day, -60, 0, 5 * Self.day]) {
                try await database.execute(Self.insert(id, at: now.addingTimeInterval(offset)))
            }
            try copy(files.filter { $0 >= "0006" })
            _ = try await MigrationSet(directory: folder).apply(to: configuration, logger: Logger(label: "test"))
            #expect(try await database.execute("SELECT count(*) FROM challenges") == ["5"])
            #expect(try await database.execute("SELECT count(*) FROM messages") == ["5"])
            #expect(try await Self.place(ids[4], database) == "challenges_default")
            #expect(try await Self.place(ids[0], database) == Self.place(ids[3], database))
            // Each old slice is to be counted; those of the future are not over.
            let counting = CountStatistics(postgres: database.client, days: 4, logger: Logger(label: "test"))
            while try await counting.step() {}
            let old = "SELECT sum(sent) FROM statistics WHERE since < now() - interval '1 day'"
            #expect(try await database.execute(old) == ["1"], "older than the days that are kept is not counted")
            let statistics = try await StatisticsStore(postgres: database.client).read(days: 30)
            #expect(statistics.total.sent >= 3)
        }
    }
}
