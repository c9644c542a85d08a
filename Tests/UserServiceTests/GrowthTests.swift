import Foundation
import PostgresTestKit
import Testing

@testable import UserService

/// Plans are kept by the services' connections, from the first statements on: those were made for empty tables.
@Suite("The work of a session, whatever there is", .serialized, .timeLimit(.minutes(2)))
struct GrowthTests {
    private static let tables = "('users', 'user_activity', 'sessions', 'changes')"

    /// Everything that an app asks in the life of a session.
    private static func life(_ server: UserServer, _ phone: String) async throws {
        let login = try await server.login(phone: phone)
        #expect(try await server.me(login.accessToken).status == 200)
        let refreshed = try await server.refresh(login.refreshToken)
        #expect(refreshed.status == 200)
        #expect(try await server.send("GET", "/v1/users/me/sessions", token: refreshed.accessToken).status == 200)
        #expect(try await server.logout(refreshed.accessToken).status == 204)
        #expect(try await server.me(refreshed.accessToken).status == 401)
    }

    @Test("nothing is read in sequence, though the tables were empty and counted as such when the plans were made")
    func lookups() async throws {
        try await withUserServer { server in
            let database = server.database
            try await database.execute("ANALYZE")
            // More often than the five times after which a plan is kept for good.
            for number in 0..<40 { try await Self.life(server, "+9198110000\(10 + number)") }
            try await Self.grow(database)
            try await Self.settled(database, after: 3000)
            let before = try await Self.readInSequence(database)
            let looked = try await Self.lookups(database)
            for number in 0..<20 { try await Self.life(server, "+9198120000\(10 + number)") }
            // Twenty profiles at least have been told to the counters: those tell of the sign-ins before them too.
            try await Self.settled(database, after: looked + 60)
            #expect(try await Self.readInSequence(database) - before < 3000)
        }
    }

    /// Three thousand of each.
    private static func grow(_ database: TestDatabase) async throws {
        try await database.execute(
            """
            INSERT INTO users (id, phone) SELECT md5(n::text)::uuid, '+9170' || lpad(n::text, 8, '0')
            FROM generate_series(1, 3000) n;
            INSERT INTO sessions (id, user_id, challenge_id, refresh_hash, access_token_id, access_expires_at,
                idle_expires_at, absolute_expires_at)
            SELECT gen_random_uuid(), id, gen_random_uuid(), sha256(id::text::bytea), gen_random_uuid(),
                now() + interval '15 min', now() + interval '14 d', now() + interval '30 d' FROM users;
            INSERT INTO blacklisted_tokens (token_hash, expires_at)
            SELECT sha256(n::text::bytea), now() + interval '5 min' FROM generate_series(1, 3000) n
            """)
    }

    /// Asks for the profile of one token by many at once, often enough for a plan to be kept.
    private static func crowd(_ server: UserServer, _ token: String, rounds: Int = 12) async throws {
        for _ in 0..<rounds {
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<48 { group.addTask { try await server.me(token).status } }
                for try await status in group { #expect(status == 200) }
            }
        }
    }

    @Test("nor does a statement for many profiles at once read more than those")
    func batches() async throws {
        try await withUserServer { server in
            let database = server.database
            let token = try await server.login(phone: "+919811000009").accessToken
            try await Self.crowd(server, token)
            try await Self.grow(database)
            try await Self.settled(database, after: 3000)
            let before = try await Self.readByIndex(database)
            let looked = try await Self.lookups(database)
            let inSequence = try await Self.readInSequence(database)
            try await Self.crowd(server, token)
            // The sessions tell the counters with their next statement after a second, or after ten.
            try await Task.sleep(for: .milliseconds(1100))
            for _ in 0..<4 { try await Self.crowd(server, token, rounds: 1) }
            try await Self.settled(database, after: looked + 1200)
            // Three or four for each of some 1,300; a walk along a whole index would read 3,000 more for each statement.
            #expect(try await Self.readByIndex(database) - before < 1300 * 8)
            #expect(try await Self.readInSequence(database) - inSequence < 3000)
        }
    }

    private static func readByIndex(_ database: TestDatabase) async throws -> Int {
        try await number(
            """
            SELECT coalesce(sum(idx_tup_read), 0)::int8 FROM pg_stat_user_indexes
            WHERE relname IN \(tables) OR relname LIKE 'blacklisted_tokens%'
            """, database)
    }

    /// Rows that were read in sequence; a single look at one of the tables would count 3,000.
    private static func readInSequence(_ database: TestDatabase) async throws -> Int {
        try await number(
            """
            SELECT coalesce(sum(seq_tup_read), 0)::int8 FROM pg_stat_user_tables
            WHERE relname IN \(tables) OR relname LIKE 'blacklisted_tokens%'
            """, database)
    }

    /// Sessions and users found by an index.
    private static func lookups(_ database: TestDatabase) async throws -> Int {
        try await number("SELECT sum(idx_scan)::int8 FROM pg_stat_user_tables WHERE relname IN \(tables)", database)
    }

    private static func number(_ statement: String, _ database: TestDatabase) async throws -> Int {
        try #require(Int(try await database.execute(statement).first.flatMap { $0 } ?? ""))
    }

    /// Waits until the counters, which sessions tell of about once a second, have come this far and rest.
    private static func settled(_ database: TestDatabase, after count: Int) async throws {
        let end = ContinuousClock.now + .seconds(30)
        var last = -1
        while ContinuousClock.now < end {
            let now = try await lookups(database)
            if now >= count, now == last { return }
            last = now
            try await Task.sleep(for: .milliseconds(1500))
        }
        Issue.record("the counters stay at \(last), below \(count)")
    }
}
