import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing

@testable import UserService

/// Searches by name among so many users that a sample decides between walking and sorting.
///
/// There are thirty thousand; the counters say ten million, so that the ways are those of ten million.
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
            from generate_series(1, 30000) g;
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
}
