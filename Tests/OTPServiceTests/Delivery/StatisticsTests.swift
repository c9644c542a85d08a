import Foundation
import Identity
import Logging
import Postgres
import PostgresTestKit
import ServiceTestKit
import Testing
import Tokens

@testable import OTPService

@Suite("Numbers for the console", .timeLimit(.minutes(5)))
struct StatisticsTests {
    /// A slice that is over and settled, not at the edge of anything.
    static let now = StatisticsSums.start(of: 3600, Date()).addingTimeInterval(1800)

    struct Bench: Sendable {
        let database: TestDatabase
        let counting: CountStatistics
        let store: StatisticsStore

        func countAll(at moment: Date) async throws {
            while try await counting.step(at: moment) {}
        }

        /// One challenge with its message; a verified one took 10 seconds.
        func add(_ moment: Date, phone: String = "+919876543210", state: String = "submitted", verified: Bool = false)
            async throws -> String
        {
            let id = DaysTests.id(moment)
            let answer =
                verified ? "UPDATE challenges SET verified_at = created_at + interval '10 s' WHERE id = '\(id)';" : ""
            try await database.execute(DaysTests.insert(id, at: moment, phone: phone, state: state) + answer)
            return id
        }
    }

    func withBench(_ body: (Bench) async throws -> Void) async throws {
        try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
            try await database.execute(
                "UPDATE statistics_progress SET counted_to = slice_of(to_timestamp(\(Self.now.timeIntervalSince1970)) - interval '3 days')"
            )
            try await body(
                Bench(
                    database: database,
                    counting: CountStatistics(postgres: database.client, days: 30, logger: Logger(label: "test")),
                    store: StatisticsStore(postgres: database.client)))
        }
    }

    @Test("what is counted and what is not counted yet add up, whenever one asks")
    func exact() async throws {
        try await withBench { bench in
            // From three days ago to now, one every 50 minutes: some slices have one, most have none.
            var moment = Self.now.addingTimeInterval(-3 * DaysTests.day + 60)
            var sent = 0
            while moment < Self.now {
                _ = try await bench.add(
                    moment, phone: sent % 4 == 0 ? "+14155550123" : "+9198765432\(10 + sent % 90)",
                    state: ["submitted", "delivered", "failed", "queued"][sent % 4], verified: sent % 2 == 1)
                sent += 1
                moment += 3000
            }
            try await bench.database.execute("UPDATE messages SET reason = 'expired' WHERE state = 'failed'")
            let before = try await bench.store.read(days: 4, at: Self.now)
            for _ in 0..<300 { _ = try await bench.counting.step(at: Self.now) }
            let between = try await bench.store.read(days: 4, at: Self.now)
            try await bench.countAll(at: Self.now)
            let after = try await bench.store.read(days: 4, at: Self.now)
            for statistics in [before, between, after] {
                #expect(statistics.total == before.total && statistics.total.sent == sent)
                #expect(statistics.days == before.days && statistics.hours == before.hours)
                #expect(statistics.countries == before.countries && statistics.channels == before.channels)
                #expect(statistics.prefixes == before.prefixes && statistics.failures == before.failures)
            }
            #expect(before.days.count == 4 && before.hours.count == 48)
            #expect(before.countries.map(\.name) == ["IN", "US"])
            #expect(before.prefixes.map(\.name) == ["+9198765", "+1415555"])
            #expect(before.failures.map(\.reason) == ["expired"])
            #expect(
                before.total.verified == sent / 2 && before.total.times.median.map { (8...11.4).contains($0) } == true)
            // A message still waits: the slices after its own are not counted, for two hours at most.
            let counted = try await bench.database.execute("SELECT sum(sent) FROM statistics")
            #expect(Int(counted.first.flatMap { $0 } ?? "") ?? 0 >= sent - 3)
        }
    }

    @Test(
        "a slice is not counted while one of its messages waits, for two hours at most: what becomes of it is in its numbers"
    )
    func waiting() async throws {
        try await withBench { bench in
            _ = try await bench.add(Self.now.addingTimeInterval(-3 * 3600), state: "queued")
            _ = try await bench.add(Self.now.addingTimeInterval(-3000), state: "queued")
            try await bench.database.execute("UPDATE messages SET submitted_at = NULL")
            try await bench.countAll(at: Self.now)
            #expect(try await bench.database.execute("SELECT sum(sent) FROM statistics") == ["1"])
            try await bench.database.execute("UPDATE messages SET state = 'submitted', submitted_at = updated_at")
            try await bench.countAll(at: Self.now)
            let total = try await bench.store.read(days: 2, at: Self.now).total
            #expect(total.sent == 2 && total.submitted == 1, "the one that waited too long is not looked at again")
        }
    }

    @Test("a report that comes after its slice was counted has it counted again")
    func late() async throws {
        try await withBench { bench in
            let moment = Self.now.addingTimeInterval(-7200)
            let id = try await bench.add(moment)
            try await bench.countAll(at: Self.now)
            #expect(try await bench.store.read(days: 1, at: Self.now).total.delivered == 0)
            let name = try #require(ChallengeID(id))
            _ = try await ReportStore(postgres: bench.database.client).apply(
                [DeliveryReport(name: MessageName(challengeID: name, number: 0), state: .delivered)], at: Self.now)
            #expect(try await bench.database.execute("SELECT count(*) FROM statistics_marks") == ["1"])
            try await bench.countAll(at: Self.now)
            #expect(try await bench.store.read(days: 2, at: Self.now).total.delivered == 1)
            #expect(try await bench.database.execute("SELECT count(*) FROM statistics_marks") == ["0"])
        }
    }

    @Test("a mark that is not committed when the slice is counted is not lost")
    func markRace() async throws {
        try await withBench { bench in
            let id = try await bench.add(Self.now.addingTimeInterval(-7200))
            try await bench.countAll(at: Self.now)
            let client = bench.database.client
            try await client.transaction { transaction in
                _ = try await transaction.query("UPDATE messages SET state = 'delivered'")
                _ = try await transaction.query(
                    "INSERT INTO statistics_marks (since) SELECT slice_of(id_time(challenge_id)) FROM messages")
                // Another mark of the same slice is there meanwhile, and taken.
                try await bench.database.execute(
                    "INSERT INTO statistics_marks (since) SELECT slice_of(id_time('\(id)'))")
                try await bench.countAll(at: Self.now)
            }
            try await bench.countAll(at: Self.now)
            #expect(try await bench.store.read(days: 2, at: Self.now).total.delivered == 1)
        }
    }

    @Test("a row that comes late is counted when its day is closed; a closed day's sums stay")
    func closing() async throws {
        try await withBench { bench in
            let moment = Self.now.addingTimeInterval(-5 * 3600)
            _ = try await bench.add(moment)
            try await bench.countAll(at: Self.now)
            _ = try await bench.add(moment)  // A clock that goes wrong.
            try await bench.countAll(at: Self.now)
            #expect(try await bench.store.read(days: 2, at: Self.now).total.sent == 1)
            let retention = Retention(postgres: bench.database.client, days: 30, logger: Logger(label: "test"))
            let later = Self.now.addingTimeInterval(3 * DaysTests.day)
            _ = try await retention.maintainDays(at: later)
            try await bench.countAll(at: later)
            #expect(try await bench.store.read(days: 6, at: later).total.sent == 2)
            // Summed into hours, then forgotten with its rows, but not the numbers.
            let month = Self.now.addingTimeInterval(40 * DaysTests.day)
            _ = try await retention.maintainDays(at: month)
            #expect(try await bench.database.execute("SELECT count(*) FROM all_messages") == ["0"])
            try await bench.countAll(at: month)
            let statistics = try await bench.store.read(days: 60, at: month)
            #expect(statistics.total.sent == 2 && statistics.days.count == 60)
            let slices = try await bench.database.execute(
                "SELECT count(*) FROM statistics WHERE since <> date_trunc('hour', since)")
            #expect(slices == ["0"])
            #expect(statistics.prefixes.isEmpty, "blocks of numbers are kept as long as the messages")
        }
    }

    @Test("two instances count everything once")
    func parallel() async throws {
        try await withBench { bench in
            for hour in 1...40 { _ = try await bench.add(Self.now.addingTimeInterval(Double(-hour) * 3600)) }
            _ = try await RaceTests.parallel(4) { _ in try await bench.countAll(at: Self.now) }
            try await bench.countAll(at: Self.now)
            #expect(try await bench.database.execute("SELECT sum(sent) FROM statistics") == ["40"])
        }
    }

    @Test("a median lies in the step of its half")
    func median() {
        #expect(VerifyTimes().median == nil)
        #expect(VerifyTimes([0, 0, 0, 0, 0, 0, 10]).median == 9.7)
        #expect(VerifyTimes([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]).median == 1.4)
        var times = VerifyTimes([2])
        times.add(VerifyTimes(Array(repeating: 1, count: 30)))
        times.add(5, bucket: 99)
        #expect(times.counts.count == 20 && times.counts.reduce(0, +) == 27)
    }

    @Test("the answer names all it promises")
    func answer() async throws {
        try await withOTPServer { server in
            let phone = PhoneNumber.fresh()
            let challenge = try await server.challenge(phone)
            let code = try await server.codes(phone)[0]
            _ = try await server.wait(for: "submitted", of: challenge)
            #expect(try await server.verify(challenge, code).status == 200)
            let now = Date()
            let token = try server.signer.sign(
                ServiceToken(service: .admin, audience: .otp, expiresAt: now.addingTimeInterval(60)), now: now)
            let answer = try await server.api.get("/internal/statistics?days=2", token: token)
            let object = try #require(JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any])
            let country = try #require((object["by_country"] as? [[String: Any]])?.first)
            #expect(country["country"] as? String == "IN" && country["verified"] as? Int == 1)
            #expect(country["conversion"] as? Double == 1 && country["median_seconds_to_verify"] is Double)
            let block = try #require((object["by_prefix"] as? [[String: Any]])?.first)
            #expect(block["prefix"] as? String == String(phone.e164.prefix(8)) && block["country"] as? String == "IN")
            #expect(
                (object["by_hour"] as? [[String: Any]])?.count == 48
                    || (object["by_hour"] as? [[String: Any]])?.count ?? 0 >= 25)
            #expect(object["conversion"] as? Double == 1)
        }
    }
}
