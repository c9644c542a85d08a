import Foundation
import Identity
import Testing

@testable import AdminService

@Suite("User directory", .timeLimit(.minutes(2)))
struct DirectoryRouteTests {
    @Test("a page, with masked phones and its age, asked once")
    func page() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.viewer)
            let path = "/v1/admin/users?search=a%20%26b&status=active&sort=created_at&cursor=abc&limit=2"
            for _ in 0..<3 {
                let answer = try await server.send("GET", path, token: token)
                #expect(answer.status == 200)
                #expect(answer.header("Age") != nil && answer.header("Cache-Control") == "no-store")
                #expect(answer.json("users", 0, "phone") as? String == "+9198*****210")
                #expect(answer.json("users", 0, "display_name") as? String == #"Asha "<script>""#)
                #expect(answer.json("users", 0, "last_sign_in_at") is NSNull)
                #expect(answer.string("next_cursor") == "abc" && answer.json("total") as? Int == 1)
                #expect(answer.string("as_of") == "2026-11-24T08:00:00.000Z")
                #expect(!answer.text.contains("9876543210"))
            }
            #expect(
                server.users.asked == [
                    "/internal/users?sort=created_at&limit=2&search=a%20%26b&status=active&cursor=abc"
                ])
            _ = try await server.send("GET", path, token: token, headers: [("Cache-Control", "no-cache")])
            #expect(server.users.asked.count == 2)
        }
    }

    @Test("a phone is searched for as it is dialled in the default region, by list and by messages")
    func national() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.support, phone: "+919876500007")
            for path in ["users?search=098112%2000001", "messages?phone=098112%2000001"] {
                #expect(try await server.send("GET", "/v1/admin/\(path)", token: token).status == 200)
            }
            #expect(server.users.asked.contains { $0.contains("search=%2B919811200001") })
            #expect(server.otp.asked.contains { $0.contains("phone=%2B919811200001") })
        }
    }

    @Test("a search that had no answer in time is asked once more, and what comes then is shown")
    func patience() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.viewer)
            server.users.become(.silent)
            async let answer = server.send("GET", "/v1/admin/users?search=asha", token: token)
            while server.users.asked.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            server.users.become(.answering)
            #expect(try await answer.status == 200)
            #expect(server.users.asked.count == 2)
            // Who says that it cannot is not asked again.
            server.users.become(.status(503))
            let refused = try await server.send("GET", "/v1/admin/users?search=ravi", token: token)
            #expect(refused.status == 503 && refused.header("Retry-After") != nil)
            #expect(server.users.asked.count == 3)
        }
    }

    @Test("the length of a search is counted in characters, as the contract says")
    func longSearch() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.viewer)
            let longest = String(repeating: "%C3%A4", count: 200)
            let found = try await server.send("GET", "/v1/admin/users?search=\(longest)", token: token)
            #expect(found.status == 200, "\(found.text)")
            let refused = try await server.send("GET", "/v1/admin/users?search=\(longest)a", token: token)
            #expect(refused.status == 400)
            #expect(server.users.asked.count == 1)
        }
    }

    @Test("one user, and none")
    func user() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.viewer)
            for id in [StubService.userID, StubService.userID.uppercased()] {
                let answer = try await server.send("GET", "/v1/admin/users/\(id)", token: token)
                #expect(answer.status == 200)
                #expect(answer.string("id") == StubService.userID && answer.string("phone") == "+9198*****210")
                #expect(answer.string("as_of") != nil)
                #expect(answer.json("sessions", 0, "expires_at") as? String == "2026-12-24T07:00:00.000Z")
            }
            #expect(server.users.asked == ["/internal/users/\(StubService.userID)"])
            for id in ["0", "-1", "me", "a%2Fb", "%00", "..%2f..%2fadmin", "{\(StubService.userID)}"] {
                let answer = try await server.send("GET", "/v1/admin/users/\(id)", token: token)
                #expect([400, 404].contains(answer.status), "\(id): \(answer.status)")
            }
            #expect(server.users.asked.count == 1)
            server.users.become(.status(404))
            let missing = try await server.send("GET", "/v1/admin/users/\(UserID())", token: token)
            #expect(missing.status == 404 && missing.string("code") == "not-found")
        }
    }

    @Test(
        "parameters that make no sense are refused before anyone is asked",
        arguments: [
            "limit=0", "limit=-1", "limit=201", "limit=9223372036854775807", "limit=1e9", "limit=abc", "limit=1.5",
            "status=admin", "sort=phone", "sort=created_at;drop", "search=\(String(repeating: "a", count: 201))",
            "cursor=\(String(repeating: "a", count: 129))", "search=%00", "search=%ff",
        ])
    func badParameters(query: String) async throws {
        try await withAdminServer { server in
            let token = try await server.token(.viewer)
            let answer = try await server.send("GET", "/v1/admin/users?\(query)", token: token)
            #expect(answer.status == 400 && answer.string("code") == "invalid-request")
            #expect(server.users.asked.isEmpty)
        }
    }

    @Test("what user-service finds malformed is the caller's mistake, and named")
    func refusedUpstream() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.viewer)
            server.users.become(.status(400))
            let answer = try await server.send("GET", "/v1/admin/users?search=%01", token: token)
            #expect(answer.status == 400)
            #expect(answer.json("errors", 0, "field") as? String == "search")
        }
    }

    @Test("nobody there: 503 that says who, and back at once when there is")
    func away() async throws {
        try await withAdminServer(userServiceURL: "http://127.0.0.1:1") { server in
            let token = try await server.token(.viewer)
            let answer = try await server.send("GET", "/v1/admin/users", token: token)
            #expect(answer.status == 503 && answer.header("Retry-After") == "5")
            #expect(answer.string("detail")?.contains("user-service") == true)
        }
        try await withAdminServer { server in
            let token = try await server.token(.viewer)
            server.users.become(.nonsense)
            #expect(try await server.send("GET", "/v1/admin/users", token: token).status == 503)
            server.users.become(.answering)
            #expect(try await server.send("GET", "/v1/admin/users", token: token).status == 200)
        }
    }

    @Test("the listing of caches counts what happened")
    func listing() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.viewer)
            for number in 0..<5 {
                _ = try await server.send("GET", "/v1/admin/users?search=\(number)", token: token)
            }
            let answer = try await server.send("GET", "/v1/admin/cache", token: token)
            let users = try #require(
                (answer.json("caches") as? [[String: Any]])?.first { $0["name"] as? String == "users" })
            #expect(users["entries"] as? Int == 5 && users["fills"] as? Int == 5 && users["misses"] as? Int == 5)
        }
    }
}
