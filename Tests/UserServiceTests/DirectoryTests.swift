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

    /// Reads all pages of a query; the closure runs between them.
    static func walk(
        _ store: DirectoryStore, _ query: DirectoryQuery, between: () async throws -> Void = {}
    ) async throws -> [User] {
        var (query, found) = (query, [User]())
        repeat {
            let page = try await store.page(query)
            #expect(page.users.count <= query.limit)
            found += page.users
            query.after = page.next
            if query.after != nil { try await between() }
        } while query.after != nil && found.count <= 10_000
        return found
    }

    @Test(
        "pages through all in each order without gap or repetition", arguments: DirectoryOrder.allCases, [1, 7, 200])
    func pages(_ order: DirectoryOrder, _ limit: Int) async throws {
        try await withUserDatabase { database in
            try await Self.fill(database, 100)
            try await database.execute(
                """
                update users set last_sign_in_at = created_at - interval '1 hour' * ascii(right(phone, 1)) where phone < '+919800000081'
                """)
            let store = DirectoryStore(postgres: database.client)
            let query = DirectoryQuery(order: order, limit: limit)
            let page = try await store.page(query)
            #expect(page.total == 100)
            #expect(page.totalIsExact)
            let found = try await Self.walk(store, query)
            #expect(found.count == 100)
            #expect(Set(found.map(\.id)).count == 100)
            let times = found.map { order.isBySignIn ? $0.lastSignInAt ?? .distantPast : $0.createdAt }
            #expect(times == (order.isDescending ? times.sorted(by: >) : times.sorted()))
        }
    }

    @Test(
        "ADM-06: whoever is there from the beginning to the end is met once, while others come",
        arguments: DirectoryOrder.allCases)
    func concurrentInserts(_ order: DirectoryOrder) async throws {
        try await withUserDatabase { database in
            try await Self.fill(database, 300)
            let store = DirectoryStore(postgres: database.client)
            var next = 1000
            let found = try await Self.walk(store, DirectoryQuery(order: order, limit: 20)) {
                try await database.execute(
                    """
                    insert into users (id, phone, created_at, last_sign_in_at)
                    select gen_random_uuid(), '+9199' || lpad(g::text, 8, '0'), now() - random() * interval '100 seconds',
                        now() - random() * interval '100 seconds'
                    from generate_series(\(next), \(next + 9)) g;
                    update users set status = 'deleted', phone = null where phone = '+9199' || lpad('\(next)', 8, '0')
                    """)
                next += 10
            }
            #expect(Set(found.map(\.id)).count == found.count)
            #expect(found.count { $0.phone?.e164.hasPrefix("+9198") ?? false } == 300)
        }
    }

    static let searches: [(String, Int)] = [
        ("+9198000000", 99), ("+91 98-000000 1", 10), ("9198", 100), ("+1", 0), ("person", 50), ("PERSON 10", 2),
        ("%", 0),
        ("_", 0), ("\\", 0), ("er", 50), ("on 7", 5), ("0190c2b6-", 0), ("' or 1=1--", 0), ("Person%", 0), ("+", 0),
        ("99999999999999999999", 0),
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
                #expect(page.totalIsExact)
                for order in DirectoryOrder.allCases {
                    let found = try await Self.walk(store, DirectoryQuery(search: search, order: order, limit: 7))
                    #expect(Set(found.map(\.id)).count == count, "\(text)")
                }
            }
            let anybody = try #require(try await store.page(DirectoryQuery(limit: 1)).users.first)
            for text in [
                anybody.id.description, anybody.id.description.uppercased(), String(anybody.id.description.prefix(13)),
            ] {
                let page = try await store.page(DirectoryQuery(search: DirectorySearch(text)))
                #expect(page.users.map(\.id) == [anybody.id])
                #expect(page.total == 1)
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

    @Test("ADM-05, ADM-23: is for other services only, and judges its parameters")
    func routes() async throws {
        try await withUserServer { server in
            let session = try await server.login()
            let token = try server.signer.sign(
                ServiceToken(service: .admin, audience: .user, expiresAt: Date() + 60), now: Date())
            for path in ["/internal/users", "/internal/users/\(UserID())", "/internal/statistics"] {
                #expect(try await server.send("GET", path).status == 401)
                #expect(try await server.send("GET", path, token: session.accessToken).status == 401)
                let misdirected = try server.signer.sign(
                    ServiceToken(service: .admin, audience: .otp, expiresAt: Date() + 60), now: Date())
                #expect(try await server.send("GET", path, token: misdirected).status == 401)
                for (caller, life) in [(ServiceName.otp, 60.0), (.user, 60), (.admin, 86_400)] {
                    let stranger = try server.signer.sign(
                        ServiceToken(service: caller, audience: .user, expiresAt: Date() + life), now: Date())
                    #expect(try await server.send("GET", path, token: stranger).status == 401)
                }
            }
            let page = try await server.send(
                "GET", "/internal/users?limit=200&sort=created_at&status=active", token: token)
            #expect(page.status == 200)
            #expect((page.object["users"] as? [Any])?.count == 1)
            #expect(page.object["next_cursor"] is NSNull)
            for query in [
                "limit=0", "limit=201", "limit=x", "limit=1.5", "limit=99999999999999999999", "sort=phone", "status=x",
                "cursor=x", "cursor=AAAA", "cursor=%00", "search=%00", "search=%ff", "limit=1&limit=2",
                "cursor=\(Base64URL.encode([UInt8](repeating: 255, count: 40)))", "limit=-1",
                "limit=9223372036854775807", "sort=created_at%3Bselect%201", "page=1%00",
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

    static let typed: [(String, String)] = [
        ("+919876543210", "phone"), ("098765", "name"), ("9198-7654", "phone"), ("01934567-", "id"),
        ("abcdef01-2", "id"),
        ("abcdef012", "name"), ("0193456", "name"), ("01934567-89ab-7def-8abc-0123456789ab", "id"), ("Asha", "name"),
        ("01934567-89ab7", "name"), ("As", "text"), ("a-b c", "text"), ("\u{928}\u{92E}\u{938}\u{94D}", "name"),
        ("%%%%%", "text"),
        ("{01934567-89ab-7def-8abc-0123456789ab}", "name"), ("1-2", "phone"), ("01934567-8g", "name"),
    ]

    @Test("tells phones, ids and names apart")
    func kinds() throws {
        for (text, kind) in Self.typed { #expect(DirectorySearch(text)?.kind == kind, "\(text)") }
        #expect(DirectorySearch("01934567-8")?.range?.from == "01934567-8000-0000-0000-000000000000")
        #expect(DirectorySearch("01934567-8")?.range?.to == "01934567-8fff-ffff-ffff-ffffffffffff")
    }

    @Test("a cursor is good for its own list only")
    func cursors() throws {
        let query = DirectoryQuery(search: .name(fragment: "asha"), status: .active, order: .newestFirst)
        let position = DirectoryPosition(key: Date(timeIntervalSince1970: 1_764_000_000.123456), id: UUID.version7())
        let cursors = DirectoryCursors(UserServer.keys)
        let text = cursors.text(position, of: query)
        #expect(cursors.position(text, of: query) == position)
        var sameList = query
        sameList.limit = 7
        #expect(cursors.position(text, of: sameList) == position)
        var others = [query, query, query, query]
        others[0].search = .name(fragment: "ash")
        others[1].status = nil
        others[2].order = .oldestFirst
        others[3].search = nil
        for other in others { #expect(cursors.position(text, of: other) == nil) }
        for index in 0..<40 {
            var bytes = try #require(Base64URL.decode(text.utf8))
            bytes[index] ^= 1
            #expect(cursors.position(Base64URL.encode(bytes), of: query) == nil)
        }
        let newer = Secret(bytes: Array("another secret of thirty-two bytes".utf8))
        let rotated = DirectoryCursors(TokenKeys(current: newer, previous: UserServer.secret))
        #expect(rotated.position(text, of: query) == position)
        #expect(DirectoryCursors(TokenKeys(current: newer, previous: nil)).position(text, of: query) == nil)
        for old in [Date(timeIntervalSince1970: 0), Date(timeIntervalSince1970: -1.5)] {
            let position = DirectoryPosition(key: old, id: UUID.version7())
            #expect(cursors.position(cursors.text(position, of: query), of: query) == position)
        }
    }

    static let payloads = [
        "' or '1'='1", "'; drop table users; --", "1; select pg_sleep(5)", "\") or pg_sleep(5)--", "$1",
        "$$; select 1; $$", "%s %I %L",
        "%1$s", "/**/union/**/select", "\\'; select 1", "x' || pg_sleep(5) || '", "{{7*7}}", "$.users[*]", ".*",
        "(a+)+$", "[[:alnum:]]",
        "%", "_", "%%%%%%%", "\\", "\\%", "a%b_c\\d", "\u{202E}abc", "\u{FFFF}", "\u{1F469}\u{200D}\u{1F4BB}",
        "a\u{301}\u{301}",
    ]

    @Test("ADM-07, ADM-08: what is typed stands for itself", arguments: DirectoryOrder.allCases)
    func literal(_ order: DirectoryOrder) async throws {
        try await withUserDatabase { database in
            try await Self.fill(database, 2000)
            let store = DirectoryStore(postgres: database.client)
            for payload in Self.payloads {
                guard let search = DirectorySearch(payload) else { continue }
                let page = try await store.page(DirectoryQuery(search: search, order: order))
                #expect(page.total == 0 && page.users.isEmpty && page.next == nil, "\(payload)")
            }
            for payload in Self.payloads where DisplayText.stored(payload) != nil {
                _ = try await database.client.write(
                    "update users set display_name = \("x" + payload + "y") where phone = '+919800000002'")
                let page = try await store.page(
                    DirectoryQuery(search: .name(fragment: payload.uppercased()), order: order))
                #expect(page.users.count == 1, "\(payload)")
            }
            #expect(DirectorySearch(String(repeating: "a", count: 10_000)) == nil)
        }
    }
}
