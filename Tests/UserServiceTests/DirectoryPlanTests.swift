import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing

@testable import UserService

/// What a statement read, by the server's own counters: a proof that needs no look at a plan.
@Suite("The work of the directory", .serialized)
struct DirectoryPlanTests {
    /// Rows of tables and entries of indexes that a query reads, and the indexes it used.
    static func work(
        of query: DirectoryQuery, _ database: TestDatabase
    ) async throws -> (rows: Int, indexes: Set<String>, scans: Int) {
        let store = DirectoryStore(postgres: database.client)
        _ = try await store.page(query)
        try await database.execute("select pg_stat_reset()")
        // Counters are told at the end of a transaction, at most once a second: by the session that read, when it is asked to.
        let client = database.client
        _ = try await store.page(query)
        for _ in 0..<2 { _ = try await client.read("select pg_stat_force_next_flush()") }
        _ = try await store.page(query)
        for _ in 0..<2 { _ = try await client.read("select pg_stat_force_next_flush()") }
        let rows = try await client.read(
            """
            select coalesce(sum(t.seq_tup_read + coalesce(t.idx_tup_fetch, 0)), 0)::int8,
                coalesce(sum(t.seq_scan) filter (where t.relname in ('users', 'user_activity')), 0)::int8,
                (select coalesce(string_agg(indexrelname, ' '), '') from pg_stat_user_indexes where idx_scan > 0),
                (select coalesce(sum(idx_tup_read), 0) from pg_stat_user_indexes)::int8
            from pg_stat_user_tables t where t.relname in ('users', 'user_activity')
            """)
        let (read, scans, indexes, entries) = try #require(rows.first).decode((Int, Int, String, Int).self)
        return ((read + entries) / 2, Set(indexes.split(separator: " ").map(String.init)), scans)
    }

    static let questions: [(String, DirectoryQuery, String, Int)] = [
        ("newest", DirectoryQuery(), "users_by_status", 400),
        ("oldest", DirectoryQuery(order: .oldestFirst), "users_by_status", 400),
        ("suspended", DirectoryQuery(status: .suspended), "users_by_status", 300),
        ("deleted", DirectoryQuery(status: .deleted), "users_by_status", 50),
        ("latest sign-in", DirectoryQuery(order: .latestSignInFirst), "user_activity_by_sign_in", 600),
        ("earliest sign-in", DirectoryQuery(order: .earliestSignInFirst), "user_activity_by_sign_in", 600),
        ("phone", DirectoryQuery(search: .phone(prefix: "+919800012345")), "users_live_phone", 50),
        (
            "phone, by sign-in", DirectoryQuery(search: .phone(prefix: "+9198000123"), order: .latestSignInFirst),
            "users_live_phone", 1500
        ),
        ("prefix of many", DirectoryQuery(search: .phone(prefix: "+9198")), "users_live_phone", 25_000),
        ("name", DirectoryQuery(search: .name(fragment: "Person 12346")), "users_by_name_fragment", 100),
        ("id", DirectoryQuery(search: DirectorySearch(UserID().description)), "users_pkey", 50),
    ]

    @Test("every kind of page is read by its index, and reads little")
    func indexes() async throws {
        try await withUserDatabase { database in
            try await DirectoryTests.fill(database, 30_000)
            try await database.execute("update users set last_sign_in_at = created_at")
            try await database.execute("vacuum analyze users, user_activity, user_counts")
            for (name, query, index, limit) in Self.questions {
                let work = try await Self.work(of: query, database)
                #expect(work.indexes.contains(index), "\(name): \(work.indexes)")
                #expect(work.scans == 0, "\(name)")
                #expect(work.rows <= limit, "\(name): \(work.rows)")
            }
        }
    }
}
