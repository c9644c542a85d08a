import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing
import Tokens

@testable import UserService

@Suite("The directory of users")
struct DirectoryTests {
    static func fill(_ database: TestDatabase, _ count: Int) async throws {
        try await database.execute(
            """
            insert into users (id, phone, display_name, status, created_at)
            select gen_random_uuid(), '+9198' || lpad(g::text, 8, '0'), case when g % 2 = 0 then 'Person ' || g end,
                case when g % 10 = 0 then 'suspended' else 'active' end,
                -- Three at each moment: the id decides between them.
                now() - make_interval(secs => g / 3 + 0.123456)
            from generate_series(1, \(count)) g
            """)
    }

    @Test(
        "pages through all in both orders without gap or repetition", arguments: DirectoryOrder.allCases, [1, 7, 200])
    func pages(_ order: DirectoryOrder, _ limit: Int) async throws {
        try await withUserDatabase { database in
            try await Self.fill(database, 100)
            let store = DirectoryStore(postgres: database.client)
            var query = DirectoryQuery(order: order, limit: limit)
            var found: [User] = []
            repeat {
                let page = try await store.page(query)
                #expect(page.users.count <= limit)
                #expect(page.total == 100)
                #expect(page.totalIsExact)
                found += page.users
                query.after = page.next.flatMap { DirectoryCursor($0.text) }
            } while query.after != nil && found.count <= 100
            #expect(found.count == 100)
            #expect(Set(found.map(\.id)).count == 100)
            let times = found.map(\.createdAt)
            #expect(times == (order == .oldestFirst ? times.sorted() : times.sorted(by: >)))
        }
    }

    static let searches: [(String, Int)] = [
        ("+9198000000", 99), ("+91 98-000000 1", 10), ("9198", 100), ("+1", 0), ("person", 50), ("PERSON 10", 2),
        ("%", 0),
        ("_", 0), ("\\", 0), ("' or 1=1--", 0), ("Person%", 0), ("+", 0), ("99999999999999999999", 0),
        (String(repeating: "x", count: 200), 0),
    ]

    @Test("finds by the beginning of a phone and by a part of a name")
    func search() async throws {
        try await withUserDatabase { database in
            try await Self.fill(database, 100)
            let store = DirectoryStore(postgres: database.client)
            for (text, count) in Self.searches {
                let search: DirectorySearch = try #require(DirectorySearch(text))
                let page = try await store.page(DirectoryQuery(search: search, limit: 200))
                #expect(page.users.count == count, "\(text)")
                #expect(page.total == count, "\(text)")
            }
            let name = #"100%_\ sure"#
            _ = try await database.client.write("update users set display_name = \(name) where phone = '+919800000001'")
            let page = try await store.page(DirectoryQuery(search: .name(fragment: #"0%_\ S"#)))
            #expect(page.users.map(\.displayName) == [name])
            for text in ["", " ", "\u{0}", "a\nb", String(repeating: "x", count: 201)] {
                #expect(DirectorySearch(text) == nil)
            }
        }
    }

    @Test("is for other services only, and judges its parameters")
    func routes() async throws {
        try await withUserServer { server in
            let session = try await server.login()
            let token = try await server.signer.sign(
                ServiceToken(service: .admin, audience: .user, expiresAt: Date() + 60), now: Date())
            for path in ["/internal/users", "/internal/users/\(UserID())", "/internal/statistics"] {
                #expect(try await server.send("GET", path).status == 401)
                #expect(try await server.send("GET", path, token: session.accessToken).status == 401)
                let misdirected = try await server.signer.sign(
                    ServiceToken(service: .admin, audience: .otp, expiresAt: Date() + 60), now: Date())
                #expect(try await server.send("GET", path, token: misdirected).status == 401)
            }
            let page = try await server.send(
                "GET", "/internal/users?limit=200&sort=created_at&status=active", token: token)
            #expect(page.status == 200)
            #expect((page.object["users"] as? [Any])?.count == 1)
            #expect(page.object["next_cursor"] is NSNull)
            for query in [
                "limit=0", "limit=201", "limit=x", "limit=1.5", "limit=99999999999999999999", "sort=phone", "status=x",
                "cursor=x", "cursor=AAAA", "cursor=%00", "search=%00", "search=%ff", "limit=1&limit=2",
                "cursor=\(Base64URL.encode([UInt8](repeating: 255, count: 25)))",
                "sort=created_at&cursor=\(Base64URL.encode([UInt8](repeating: 0, count: 25)))",
            ] {
                let answer = try await server.send("GET", "/internal/users?\(query)", token: token)
                #expect(answer.status == 400, "\(query): \(answer.text)")
            }
            for id in ["x", "%00", UserID().description] {
                #expect(try await server.send("GET", "/internal/users/\(id)", token: token).status == 404)
            }
            let id = try #require(session.user["id"] as? String)
            let user = try await server.send("GET", "/internal/users/\(id)", token: token)
            #expect(user.status == 200)
            #expect(user.string("phone") == UserServer.phone)
            #expect((user.object["sessions"] as? [Any])?.count == 1)
            #expect(user.string("as_of") != nil)
        }
    }

    @Test("counts users, and new ones by day")
    func statistics() async throws {
        try await withUserServer { server in
            try await Self.fill(server.database, 20)
            try await server.database.execute(
                "update users set created_at = now() - interval '3 days' where phone > '+919800000015'")
            _ = try await server.login(phone: "+447400123456")
            let token = try await server.signer.sign(
                ServiceToken(service: .admin, audience: .user, expiresAt: Date() + 60), now: Date())
            let answer = try await server.send("GET", "/internal/statistics?days=7", token: token)
            #expect(answer.status == 200)
            #expect(answer.integer("users_total") == 21)
            #expect(answer.integer("users_suspended") == 2)
            let days = try #require(answer.object["new_users"] as? [[String: Any]])
            #expect(days.count == 7)
            #expect(days.compactMap { $0["count"] as? Int }.reduce(0, +) == 21)
            #expect(days[3]["count"] as? Int == 5)
            let signIns = try #require(answer.object["sign_ins"] as? [[String: Any]])
            #expect(signIns.compactMap { $0["count"] as? Int } == [0, 0, 0, 0, 0, 0, 1])
            #expect(try await server.send("GET", "/internal/statistics?days=0", token: token).status == 400)
        }
    }
}
