import Foundation
import Identity
import Postgres
import PostgresTestKit
import Synchronization
import Testing
import Tokens

@testable import UserService

/// Requests that go on until something else is over.
private final class Load: Sendable {
    let isOver = Atomic<Bool>(false)

    /// Asks with a token again and again, and maybe signs other people in and out; returns all statuses.
    func ask(_ server: UserServer, _ token: String, expecting status: Int, signsOut: Bool = false) async throws -> [Int]
    {
        var statuses: [Int] = []
        while !isOver.load(ordering: .relaxed) || statuses.count < 20 {
            let answer = try await server.me(token)
            #expect(answer.status == status)
            statuses.append(answer.status)
            if signsOut {
                let other = try await server.login(phone: "+447400123457")
                statuses.append(try await server.logout(other.accessToken).status)
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        return statuses
    }
}

/// What a blacklist costs that has grown.
@Suite("A blacklist that has grown", .serialized, .timeLimit(.minutes(10)))
struct BlacklistGrowthTests {
    /// `BLACKLIST_ROWS=200000` for the full size of SES-17, of which nineteen in twenty are past.
    static let rows = ProcessInfo.processInfo.environment["BLACKLIST_ROWS"].flatMap { Int($0) } ?? 40_000
    /// `BLACKLIST_ENTRIES=10000000` for the ten million of the promise.
    static let entries = ProcessInfo.processInfo.environment["BLACKLIST_ENTRIES"].flatMap { Int($0) } ?? 100_000

    private func fill(_ database: TestDatabase, _ count: Int, from: String, over: String) async throws {
        try await database.execute(
            """
            insert into blacklisted_tokens
            select sha256((g || '\(from)')::bytea), now() + interval '\(from)' + random() * interval '\(over)'
            from generate_series(1, \(count)) g
            """)
    }

    @Test("SES-17: is purged while requests run: none fails, and what can still be used stays listed")
    func purge() async throws {
        try await withUserDatabase { database in
            let (past, live) = (Self.rows * 19 / 20, Self.rows / 20)
            // Half in the partitions of the days when they expired, half where no partition was made in time.
            try await database.execute("select maintain_blacklisted_tokens(now() - interval '3 days')")
            try await fill(database, past / 2, from: "-3 days", over: "1 day")
            try await fill(database, past - past / 2, from: "-9 days", over: "4 days")
            try await fill(database, live, from: "1 minute", over: "14 minutes")
            try await serve(database, database.client) { server async throws in
                let signedIn = try await server.login()
                let revoked = try await server.login(phone: "+447400123456").accessToken
                #expect(try await server.logout(revoked).status == 204)
                let before = try await server.count("select count(*) from blacklisted_tokens")
                #expect(before == Self.rows + 1)
                let load = Load()
                async let asked = atOnce(4) { worker in
                    worker == 0
                        ? try await load.ask(server, revoked, expecting: 401)
                        : try await load.ask(server, signedIn.accessToken, expecting: 200, signsOut: worker == 1)
                }
                let report = try await purged(database)
                #expect(report.wasMine && report.partitionsDropped >= 1 && report.rowsDeleted > 0)
                load.isOver.store(true, ordering: .relaxed)
                let statuses = try await asked.flatMap(\.self)
                #expect(statuses.count >= 80 && statuses.allSatisfy { $0 < 500 })
                let left = try await server.count(
                    "select count(*) from blacklisted_tokens where expires_at < now() - interval '2 days'")
                #expect(left == 0)
                let kept = try await server.count("select count(*) from blacklisted_tokens where expires_at > now()")
                #expect(kept >= live + 1)
                #expect(try await server.me(revoked).status == 401)
            }
        }
    }

    /// Cleans up as the service does, which tries again when requests kept it from its locks.
    private func purged(_ database: TestDatabase) async throws -> CleanupReport {
        let cleanup = Cleanup(postgres: database.client, interval: .seconds(86_400), logger: quietLogger)
        while true {
            do { return try await cleanup.clean() } catch let error as PostgresError
                where error.sqlState == .lockNotAvailable
            {
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    /// What a look-up of a live token does.
    private struct Cost {
        /// The pages that it touches.
        var pages = 0
        /// The tables of the blacklist that it looks into, with the kind of each look.
        var looks: [String: String] = [:]

        init(plan: [String: Any]) {
            pages = (plan["Shared Hit Blocks"] as? Int ?? 0) + (plan["Shared Read Blocks"] as? Int ?? 0)
            visit(plan)
        }

        private mutating func visit(_ node: [String: Any]) {
            if let table = node["Relation Name"] as? String, table.hasPrefix("blacklisted_tokens"),
                (node["Actual Loops"] as? NSNumber)?.doubleValue ?? 0 > 0
            {
                looks[table] = node["Node Type"] as? String
            }
            for child in node["Plans"] as? [[String: Any]] ?? [] { visit(child) }
        }
    }

    private func cost(_ server: UserServer, _ token: AccessToken, _ mode: String) async throws -> Cost {
        let hash = token.tokenHash.map { String(format: "%02x", $0) }.joined()
        let text = try await server.database.execute(
            """
            set plan_cache_mode = \(mode);
            prepare look (uuid, timestamptz, bytea, timestamptz) as select * from live_user($1, $2, $3, $4);
            execute look(gen_random_uuid(), now(), sha256('x'), now());
            explain (analyze, buffers, format json) execute look('\(token.sessionID)',
                to_timestamp(\(token.issuedAt.timeIntervalSince1970)), '\\x\(hash)',
                to_timestamp(\(token.expiresAt.timeIntervalSince1970)))
            """
        ).compactMap(\.self).joined(separator: "\n")
        let plans = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
        return Cost(plan: try #require(plans.first?["Plan"] as? [String: Any]))
    }

    @Test(
        "changes nothing for a request: one partition is probed by its index, and a few pages more are touched",
        arguments: ["force_generic_plan", "force_custom_plan"])
    func hotPath(mode: String) async throws {
        var limits = SessionLimits()
        limits.accessLifetime = 86_400
        try await withUserServer(limits: limits) { server in
            let session = try await server.login()
            let token = try await server.session(of: session.accessToken)
            try await server.database.execute("analyze")
            let empty = try await cost(server, token, mode)
            // As many for each of the days that tokens expire on.
            try await fill(server.database, Self.entries, from: "1 second", over: "24 hours")
            try await server.database.execute("vacuum analyze blacklisted_tokens")
            let full = try await cost(server, token, mode)
            #expect(full.looks.count == 1 && full.looks.values.allSatisfy { $0.hasPrefix("Index") }, "\(full.looks)")
            // A B-tree of ten million entries is four pages high, that of none is one.
            #expect(full.pages > 0 && full.pages <= empty.pages + 4, "\(empty.pages) pages became \(full.pages)")
            #expect(try await server.me(session.accessToken).status == 200)
        }
    }

    @Test("has eight live partitions at most with the longest life of a token, and no row without one of its own")
    func partitions() async throws {
        try await withUserDatabase { database in
            let base = Date()
            // Every six hours for ten days: what a token of that moment, with a day to live, needs is there.
            for hours in stride(from: 0, through: 240, by: 6) {
                let now = base + Double(hours) * 3600
                _ = try await database.client.write("select maintain_blacklisted_tokens(\(now))")
                _ = try await database.client.write(
                    """
                    insert into blacklisted_tokens
                    select sha256(g::text::bytea), \(now + 86_400) from generate_series(1, 60) g
                    """)
                let rows = try await database.client.read(
                    """
                    select (select count(*) from pg_inherits where inhparent = 'blacklisted_tokens'::regclass),
                        (select count(*) from blacklisted_tokens_default),
                        (select count(*) from blacklisted_tokens where expires_at >= \(now))
                    """)
                let (partitions, strays, live) = try #require(rows.first).decode((Int, Int, Int).self)
                #expect(partitions <= 8 && strays == 0, "after \(hours) hours: \(partitions), \(strays)")
                // What has just come to its last second is still there.
                #expect(live == 60 * min(hours / 6 + 1, 5), "after \(hours) hours")
            }
        }
    }
}
