import Foundation
import Identity
import Logging
import PostgresTestKit
import ServiceTestKit
import Synchronization
import Testing

@testable import OTPService

@Suite("Limits that have run out", .timeLimit(.minutes(5)))
struct PurgeTests {
    /// `LIMITER_ROWS=1000000` for the full size; one live row comes with every twenty.
    static let expired = ProcessInfo.processInfo.environment["LIMITER_ROWS"].flatMap { Int($0) } ?? 30_000
    static let live = expired / 20
    /// Fewer than a page holds.
    static let last = 20

    @Test("KEY-12: they go in batches, each a transaction, what is live or in use stays, and sends go on meanwhile")
    func purge() async throws {
        try await withOTPServer { server in
            try await server.database.execute(
                """
                INSERT INTO rate_limits (key, tat)
                SELECT 'old:' || i, (extract(epoch FROM now()) * 1000000)::int8 - i FROM generate_series(1, \(Self.expired)) i;
                INSERT INTO rate_limits (key, tat, requests_tat)
                SELECT 'live:' || i, CASE WHEN i % 2 = 0 THEN soon.at ELSE 0 END, CASE WHEN i % 2 = 1 THEN soon.at ELSE 0 END
                FROM generate_series(1, \(Self.live)) i,
                    LATERAL (SELECT (extract(epoch FROM now()) * 1000000)::int8 + 3600000000 + i AS at) soon;
                -- The last ones are at the very end of the table, too.
                INSERT INTO rate_limits (key, tat)
                SELECT 'old:' || i, 1 FROM generate_series(\(Self.expired + 1), \(Self.expired + Self.last)) i;
                ANALYZE rate_limits;
                CREATE TABLE deletions (count bigint, transaction xid8);
                CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    INSERT INTO deletions SELECT count(*), pg_current_xact_id() FROM gone HAVING count(*) > 0;
                    RETURN NULL;
                END $$;
                CREATE TRIGGER note AFTER DELETE ON rate_limits REFERENCING OLD TABLE AS gone
                    FOR EACH STATEMENT EXECUTE FUNCTION note();
                """)
            // Somebody uses one of them: nobody waits for that.
            let (purged, signedIn) = try await server.database.whileHolding(
                "SELECT 1 FROM rate_limits WHERE key = 'old:7' FOR UPDATE"
            ) { try await Self.purgeWhileSending(server) }
            #expect(purged >= Self.expired + Self.last - 1)
            #expect(signedIn > 0, "codes were sent and answered while the purge ran")
            let old = try await server.database.execute("SELECT key FROM rate_limits WHERE key LIKE 'old:%'")
            #expect(old == ["old:7"])
            let live = try await server.database.execute("SELECT count(*) FROM rate_limits WHERE key LIKE 'live:%'")
            #expect(live == ["\(Self.live)"])
            let batches = try await server.database.execute(
                """
                SELECT (max(count) < 2000) || ' ' || (count(*) = count(DISTINCT transaction)) || ' ' || sum(count) FROM deletions
                """)
            #expect(batches == ["true true \(purged)"])
            // The next round takes what was in use.
            let retention = Retention(postgres: server.database.client, days: 30, logger: Logger(label: "purge"))
            #expect(try await retention.purge() >= 1)
            #expect(
                try await server.database.execute("SELECT count(*) FROM rate_limits WHERE key LIKE 'old:%'") == ["0"])
        }
    }

    /// Asks for codes, and answers them, until the purge has ended; how many rows went and how many signed in meanwhile.
    private static func purgeWhileSending(_ server: OTPServer) async throws -> (rows: Int, signedIn: Int) {
        let isOver = Mutex(false)
        async let purge = {
            defer { isOver.withLock { $0 = true } }
            let retention = Retention(postgres: server.database.client, days: 30, logger: Logger(label: "purge"))
            return try await retention.purge()
        }()
        var signedIn = 0
        while true {
            let phone = PhoneNumber.fresh()
            let sent = try await server.send(phone)
            #expect(sent.status == 202, "\(sent.text)")
            let id = try #require(sent.string("challenge_id").flatMap(ChallengeID.init))
            #expect(try await server.verify(id.description, try Keys.code(id, phone).digits).status == 200)
            if isOver.withLock(\.self) { break }
            signedIn += 1
        }
        return (try await purge, signedIn)
    }
}
