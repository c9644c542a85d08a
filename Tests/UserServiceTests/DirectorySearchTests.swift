import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing

@testable import UserService

/// Searches by name among so many users that a sample decides between walking and sorting.
///
/// There are sixty thousand; the counters say ten million, so that the ways are those of ten million.
@Suite("Searches among many users")
struct DirectorySearchTests {
    /// The names, and how many have them: one in twenty; one in five hundred; three of all; nobody; two letters; forty who are the newest
    /// by creation and the oldest by sign-in, where a walk by sign-in does not come to; and eight, of whom it comes to some.
    static let fragments = ["dense person", "Middle Person", "rare pers", "xyzzyx", "zo", "newcomer", "spread"]

    static func fill(_ database: TestDatabase) async throws {
        try await database.execute(
            """
            insert into users (id, phone, display_name, status, created_at)
            select gen_random_uuid(), '+9198' || lpad(g::text, 8, '0'),
                case when g % 10000 = 77 then 'Rare Person' when g % 4000 = 1 then 'Spread Person' when g % 500 = 3 then 'Middle Person' when g % 20 = 2 then 'Dense Person'
                    when g % 300 = 5 then 'Zoë' when g <= 400 and g % 10 = 0 then 'Newcomer ' || g end,
                case when g % 7 = 0 then 'suspended' else 'active' end,
                -- Three at each moment: the id decides between them.
                now() - make_interval(secs => g / 3 + 0.123456)
            from generate_series(1, 60000) g;
            update users set last_sign_in_at = created_at + (now() - created_at) * 2;
            update user_counts set active = active + 10000000
            where ctid = (select ctid from user_counts where active > 0 limit 1);
            analyze users, user_activity, user_counts
            """)
    }

    /// All that match, by the definition.
    static func expected(
        _ fragment: String, _ order: DirectoryOrder, _ status: UserStatus?, _ database: TestDatabase
    ) async throws -> [UserID] {
        let key = order.isBySignIn ? "last_sign_in_at" : "created_at"
        let direction = order.isDescending ? "desc" : "asc"
        let rows = try await database.client.read(
            """
            select id from users where display_name ilike \("%" + fragment + "%") and status = coalesce(\(status?.rawValue), status)
            order by \(unescaped: key) \(unescaped: direction), id \(unescaped: direction)
            """)
        return try rows.map { UserID(uuid: try $0.decode(column: 0)) }
    }

    @Test(
        "pages are all that match, each once and in order, however many have the name",
        arguments: DirectoryOrder.allCases)
    func exact(_ order: DirectoryOrder) async throws {
        try await withUserDatabase { database in
            try await Self.fill(database)
            let store = DirectoryStore(postgres: database.client)
            for fragment in Self.fragments {
                let search = DirectorySearch.name(fragment: fragment)
                for (limit, status) in [(7, nil), (50, nil), (50, UserStatus.suspended)] {
                    let expected = try await Self.expected(fragment, order, status, database)
                    // The dense one has hundreds of short pages.
                    if limit == 7, expected.count > 500 { continue }
                    let query = DirectoryQuery(search: search, status: status, order: order, limit: limit)
                    let found = try await DirectoryTests.walk(store, query).map(\.id)
                    #expect(found == expected, "\(fragment), \(limit)")
                    let page = try await store.page(query)
                    #expect(
                        page.totalIsExact ? page.total == expected.count : page.total <= expected.count, "\(fragment)")
                }
            }
        }
    }

    @Test(
        "a first page of a name that many have is walked to, of a name that few have looked up: not the other way round"
    )
    func ways() async throws {
        try await withUserDatabase { database in
            try await Self.fill(database)
            for (fragment, isWalked) in [
                ("dense person", true), ("middle person", true), ("rare person", false), ("xyzzyx", false),
            ] {
                let query = DirectoryQuery(search: .name(fragment: fragment), limit: 10)
                let indexes = try await DirectoryPlanTests.work(of: query, database).indexes
                #expect(indexes.contains("users_by_name_fragment") != isWalked, "\(fragment): \(indexes)")
            }
        }
    }

    @Test("by sign-in names are compared in the index: users are read for the page only")
    func narrow() async throws {
        try await withUserDatabase { database in
            try await Self.fill(database)
            try await database.execute("vacuum user_activity")
            for fragment in ["middle person", "zo"] {
                let query = DirectoryQuery(
                    search: .name(fragment: fragment), order: .latestSignInFirst, limit: 10)
                let indexes = try await DirectoryPlanTests.work(of: query, database).indexes
                #expect(indexes.contains("user_activity_by_sign_in"), "\(fragment): \(indexes)")
                let read = try await database.client.read(
                    """
                    select coalesce(sum(idx_tup_fetch), 0)::int8 from pg_stat_user_tables
                    where relname in ('users', 'user_activity')
                    """)
                // Two calls of the page, each with its sample of 5,000.
                let rows: Int = try #require(read.first).decode(column: 0)
                #expect(rows <= 2 * (5000 + 50), "\(fragment)")
            }
        }
    }

    @Test("a name beside the sign-in is the user's, whatever happens", arguments: [1 as UInt64, 2])
    func names(seed: UInt64) async throws {
        try await withUserDatabase { database in
            try await database.execute(
                """
                select setseed(\(Double(seed) / 10));
                insert into users (id, phone, display_name)
                select gen_random_uuid(), '+9198' || lpad(g::text, 8, '0'), case when random() < 0.5 then 'Person ' || g end
                from generate_series(1, 100) g;
                update users set display_name = case when random() < 0.7 then 'New ' || phone end where random() < 0.5;
                update users set last_sign_in_at = now() where random() < 0.5;
                update users set display_name = 'Both', last_sign_in_at = now() + interval '1 s' where random() < 0.2;
                update users set status = 'deleted', phone = null, display_name = null where random() < 0.2;
                delete from users where random() < 0.1
                """)
            let wrong = try await database.execute(
                """
                select count(*) from users u full join user_activity a on a.user_id = u.id
                where (u.id, u.status, u.display_name, coalesce(u.last_sign_in_at, 'epoch'))
                    is distinct from (a.user_id, a.status, a.display_name, a.last_sign_in_at)
                """)
            #expect(wrong == ["0"])
        }
    }
}
