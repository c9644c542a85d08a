import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing
import Tokens

@testable import UserService

/// What the counters must say, counted the slow way.
private struct CountModel {
    struct Person {
        var status = UserStatus.active
        var lastActive: Int?
    }

    var people: [UserID: Person] = [:]
    var created: [Int: Int] = [:]
    var signIns: [Int: Int] = [:]
    var active: [Int: Set<UserID>] = [:]

    mutating func isActive(_ id: UserID, on day: Int) {
        active[day, default: []].insert(id)
        people[id]?.lastActive = day
    }

    func count(_ status: UserStatus) -> Int { people.values.count { $0.status == status } }

    /// How many different users were active on any of these days.
    func distinct(_ days: ClosedRange<Int>) -> Int {
        days.reduce(into: Set<UserID>()) { $0.formUnion(active[$1] ?? []) }.count
    }
}

@Suite("Maintained counters", .serialized)
struct UserCountTests {
    @Test("agree with a model over random events of eighty days", arguments: [1 as UInt64, 2, 3])
    func model(seed: UInt64) async throws {
        try await withUserDatabase { database in
            var random = SplitMix(state: seed)
            var model = CountModel()
            let client = database.client
            // Day 0 is so long ago that day 79 is today: the week and month of today are among them.
            for day in 0...79 {
                let time =
                    "(now() at time zone 'UTC')::date::timestamp at time zone 'UTC' - interval '\(79 - day) days'"
                for _ in 0..<Int.random(in: 0...6, using: &random) {
                    try await Self.event(on: day, at: time, client, &model, &random)
                }
            }
            let store = StatisticsStore(postgres: client)
            let before = try await store.statistics(days: 80)
            Self.expect(before, model)
            let compacted = try await store.compact()
            #expect(compacted >= 0)
            var after = try await store.statistics(days: 80)
            after.asOf = before.asOf
            #expect(after == before)
            let rows = try await client.read(
                """
                select (select count(*) from user_counts where day < current_date - 1) = (
                        select count(distinct day) from user_counts where day < current_date - 1),
                    extract(isodow from (now() at time zone 'UTC'))::int8, extract(day from (now() at time zone 'UTC'))::int8
                """)
            let (isCompact, weekday, dayOfMonth) = try #require(rows.first).decode((Bool, Int, Int).self)
            #expect(isCompact)
            #expect(before.activeThisWeek == model.distinct(79 - weekday + 1...79))
            #expect(before.activeThisMonth == model.distinct(79 - dayOfMonth + 1...79))
        }
    }

    /// A sign-up, a sign-in, a refresh or a change of status, in the database and in the model.
    private static func event(
        on day: Int, at time: String, _ client: PostgresClient, _ model: inout CountModel, _ random: inout SplitMix
    ) async throws {
        let known = Array(model.people.keys).sorted { $0.description < $1.description }
        switch Int.random(in: 0..<10, using: &random) {
        case 0...2:
            let id = UserID()
            let phone = "+9198" + String(Int.random(in: 10_000_000...99_999_999, using: &random))
            _ = try await client.write(
                "insert into users (id, phone, created_at) values (\(id.uuid), \(phone), \(unescaped: time))"
            )
            model.people[id] = .init()
            model.created[day, default: 0] += 1
        case 3...6:
            guard let id = known.randomElement(using: &random) else { return }
            _ = try await client.write(
                """
                insert into sessions (id, user_id, challenge_id, refresh_hash, access_token_id, access_expires_at,
                    created_at, rotated_at, idle_expires_at, absolute_expires_at)
                values (gen_random_uuid(), \(id.uuid), gen_random_uuid(), sha256('x'), gen_random_uuid(), now(),
                    \(unescaped: time), \(unescaped: time), now(), now())
                """)
            model.signIns[day, default: 0] += 1
            model.isActive(id, on: day)
        case 7...8:
            let rows = try await client.write(
                """
                update sessions set rotated_at = \(unescaped: time) where id in (
                    select id from sessions order by md5(id::text || \(day)) limit 1)
                returning user_id
                """)
            guard let row = rows.first else { return }
            model.isActive(UserID(uuid: try row.decode(column: 0)), on: day)
        default:
            guard let id = known.randomElement(using: &random), model.people[id]?.status != .deleted,
                let status = UserStatus.allCases.randomElement(using: &random)
            else { return }
            _ = try await client.write(
                """
                update users set status = \(status.rawValue), phone = case when \(status == .deleted) then null else phone end
                where id = \(id.uuid)
                """)
            model.people[id]?.status = status
        }
    }

    private static func expect(_ figures: UserStatistics, _ model: CountModel) {
        #expect(figures.active == model.count(.active))
        #expect(figures.suspended == model.count(.suspended))
        #expect(figures.deleted == model.count(.deleted))
        #expect(figures.days.count == 80)
        for (day, figure) in figures.days.enumerated() {
            #expect(figure.newUsers == model.created[day] ?? 0)
            #expect(figure.signIns == model.signIns[day] ?? 0)
            #expect(figure.activeUsers == model.active[day]?.count ?? 0)
        }
        #expect(figures.activeToday == model.active[79]?.count ?? 0)
    }

    @Test("count parallel sign-ins, refreshes and suspensions exactly, and none waits for another's count")
    func parallel() async throws {
        try await withUserServer { server in
            let answers = try await atOnce(60) { index in
                try await server.login(phone: "+9198765432\(10 + index % 20)")
            }
            let users = Set(answers.map(\.userID))
            #expect(users.count == 20)
            _ = try await atOnce(20) { index in try await server.refresh(answers[index].refreshToken).status }
            let suspended = Array(users.prefix(5))
            _ = try await atOnce(10) { index in
                try await server.act("suspend", on: suspended[index % 5]).status
            }
            let figures = try await StatisticsStore(postgres: server.database.client).statistics(days: 1)
            #expect(figures.total == 20)
            #expect(figures.suspended == 5)
            #expect(figures.days[0].newUsers == 20)
            #expect(figures.days[0].signIns == 60)
            #expect(figures.days[0].activeUsers == 20)
            #expect(figures.activeThisWeek == 20)
            let shards = try await server.count("select count(*) from user_counts")
            #expect(shards <= 16)
        }
    }

    @Test("a transaction that counted and goes on keeps no other waiting")
    func noHotRow() async throws {
        try await withUserServer { server in
            _ = try await server.login()
            try await server.database.client.transaction { transaction in
                _ = try await transaction.query("select count_users((now() at time zone 'UTC')::date, sign_ins => 1)")
                let answer = try await server.login(phone: "+447400123456")
                #expect(answer.status == 201)
            }
            let figures = try await StatisticsStore(postgres: server.database.client).statistics(days: 1)
            #expect(figures.days[0].signIns == 3)
        }
    }

    @Test("twenty uses of one proof are one sign-in")
    func once() async throws {
        try await withUserServer { server in
            let proof = try await server.proof()
            _ = try await atOnce(20) { _ in try await server.login(proof).status }
            let figures = try await StatisticsStore(postgres: server.database.client).statistics(days: 1)
            #expect(figures.days[0].signIns == 1)
            #expect(figures.days[0].newUsers == 1)
        }
    }

    @Test("the first refresh of a day makes its user active, the second no more")
    func refreshes() async throws {
        try await withUserServer { server in
            let session = try await server.login()
            // The session began yesterday, and nobody was active today.
            try await server.database.execute(
                """
                update sessions set rotated_at = rotated_at - interval '1 day';
                update user_activity set active_on = active_on - 1;
                truncate user_counts
                """)
            let refreshed = try await server.refresh(session.refreshToken)
            #expect(refreshed.status == 200)
            _ = try await server.refresh(refreshed.refreshToken)
            let figures = try await StatisticsStore(postgres: server.database.client).statistics(days: 1)
            #expect(figures.activeToday == 1)
            #expect(figures.days[0].signIns == 0)
        }
    }

    @Test("the cleanup sums old shards, and forgets keys and proofs of the day before")
    func upkeep() async throws {
        try await withUserDatabase { database in
            try await database.execute(
                """
                insert into user_counts (day, shard, sign_ins, active) select d::date, s, s, 1
                from generate_series(current_date - 200, current_date, interval '1 day') d, generate_series(1001, 1008) s;
                insert into user_actions (key, user_id, action, done_at)
                select g::text, gen_random_uuid(), 'suspend', now() - make_interval(hours => g) from generate_series(1, 48) g;
                insert into phone_changes (challenge_id, user_id, changed_at)
                select gen_random_uuid(), gen_random_uuid(), now() - make_interval(hours => g) from generate_series(1, 48) g
                """)
            let store = StatisticsStore(postgres: database.client)
            let before = try await store.statistics(days: 201)
            _ = try await Cleanup(postgres: database.client, interval: .seconds(60), logger: quietLogger).clean()
            var after = try await store.statistics(days: 201)
            after.asOf = before.asOf
            #expect(after == before)
            let rows = try await database.client.read(
                """
                select (select count(*) from user_counts), (select count(*) from user_actions),
                    (select count(*) from phone_changes)
                """)
            let (counts, keys, proofs) = try #require(rows.first).decode((Int, Int, Int).self)
            // Today and yesterday are still being counted.
            #expect(counts == 199 + 2 * 8)
            #expect(keys == 23 && proofs == 23)
        }
    }

    @Test("answers for the dashboard")
    func route() async throws {
        try await withUserServer { server in
            try await DirectoryTests.fill(server.database, 20)
            try await server.database.execute(
                """
                insert into users (id, phone, created_at)
                select gen_random_uuid(), '+91970000000' || g, now() - interval '3 days' from generate_series(1, 5) g
                """)
            _ = try await server.login(phone: "+447400123456")
            let token = try await server.serviceToken()
            let answer = try await server.send("GET", "/internal/statistics?days=7", token: token)
            #expect(answer.status == 200)
            #expect(answer.integer("users_total") == 26)
            #expect(answer.integer("users_active") == 24)
            #expect(answer.integer("users_suspended") == 2)
            #expect(answer.integer("users_deleted") == 0)
            for name in ["active_today", "active_this_week", "active_this_month"] { #expect(answer.integer(name) == 1) }
            func series(_ name: String) -> [Int] {
                (answer.object[name] as? [[String: Any]] ?? []).compactMap { $0["count"] as? Int }
            }
            #expect(series("new_users").count == 7)
            #expect(series("new_users").reduce(0, +) == 26)
            #expect(series("new_users")[3] == 5)
            #expect(series("sign_ins") == [0, 0, 0, 0, 0, 0, 1])
            #expect(series("active_users") == [0, 0, 0, 0, 0, 0, 1])
            for days in ["0", "367", "x"] {
                #expect(try await server.send("GET", "/internal/statistics?days=\(days)", token: token).status == 400)
            }
        }
    }
}

/// A small generator with a seed (Steele et al., SplitMix64).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
