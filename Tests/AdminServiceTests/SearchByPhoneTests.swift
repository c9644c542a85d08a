import Foundation
import Identity
import PostgresTestKit
import ServiceTestKit
import Testing

@testable import AdminService

/// Phones are masked, and no search tells what the mask hides without a record of it.
@Suite("Searches by phone")
struct SearchByPhoneTests {
    @Test(
        "ADM-21: a viewer searches by what the mask shows and by names; more of a phone is for support",
        arguments: [
            ("%2B919", false), ("919", false), ("asha", false), ("a1b2c3d4-", false), ("01932c00-", false),
            ("%2B9198", true), ("9198", true), ("%2B919876543210", true), ("(91)%2098-76", true),
            ("098765%2043210", true),
            ("%C2%A0%2B9198", true), ("tel:%2B9198", true),
        ])
    func viewer(search: String, isRefused: Bool) async throws {
        try await withAdminServer { server in
            let path = "/v1/admin/users?search=\(search)"
            let viewer = try await server.token(.viewer, phone: "+919876500001")
            let answer = try await server.send("GET", path, token: viewer)
            #expect(answer.status == (isRefused ? 403 : 200), "\(answer.text)")
            #expect(server.users.asked.contains { $0.hasPrefix("/internal/users?") } == !isRefused)
            let browser = try await server.browser(.viewer, phone: "+919876500003")
            let typed = try #require(search.removingPercentEncoding)
            let found = try await browser.submit("/users", to: "/users", ["search": typed])
            let page = try await browser.get(try #require(found.header("Location")))
            #expect(page.status == (isRefused ? 403 : 200))
            let support = try await server.token(.support, phone: "+919876500002")
            #expect(try await server.send("GET", path, token: support).status == 200)
            #expect(try await Self.recorded(server).count == (isRefused ? 1 : 0))
        }
    }

    @Test("ADM-21: a search by support is recorded masked, once for all its pages, each time it is made, cached or not")
    func recorded() async throws {
        try await withAdminServer { server in
            let support = try await server.token(.support)
            for search in ["%2B919876543210", "%2B919876543210", "%2B9198765", "%2B9198765&cursor=abc", "asha"] {
                let answer = try await server.send("GET", "/v1/admin/users?search=\(search)", token: support)
                #expect(answer.status == 200)
            }
            let rows = try await Self.recorded(server)
            #expect(rows == ["+9198*****210", "+9198*****210", "+919****"])
        }
    }

    @Test("what cannot be recorded is not searched for")
    func notRecorded() async throws {
        try await withAdminServer { server in
            let support = try await server.token(.support)
            try await server.database.test.execute(
                """
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'full'; END $$;
                CREATE TRIGGER refuse BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse()
                """)
            let answer = try await server.send("GET", "/v1/admin/users?search=%2B919876543210", token: support)
            #expect(answer.status == 503 && !answer.text.contains("users\":"))
            #expect(try await server.send("GET", "/v1/admin/users?search=asha", token: support).status == 200)
        }
    }

    private static func recorded(_ server: AdminServer) async throws -> [String?] {
        try await server.database.test.execute(
            "SELECT target_id FROM audit_log WHERE action = 'users.searched_by_phone' ORDER BY at, id")
    }
}
