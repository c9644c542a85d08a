import PostgresTestKit
import Foundation
import HTTPServer
import Hummingbird
import Identity
import Testing

@testable import AdminService

@Suite("Who may do what", .timeLimit(.minutes(2)))
struct AccessTests {
    /// Every route that needs an operator, with the least role it needs and the status of its success.
    static let routes: [(method: String, path: String, least: Role, status: Int)] = [
        ("GET", "/v1/admin/dashboard", .viewer, 200),
        ("GET", "/v1/admin/users", .viewer, 200),
        ("GET", "/v1/admin/users/\(StubService.userID)", .viewer, 200),
        ("GET", "/v1/admin/cache", .viewer, 200),
        ("DELETE", "/v1/admin/cache", .support, 204),
        // Last: it ends the session.
        ("POST", "/v1/admin/logout", .viewer, 204),
    ]

    @Test("the matrix of roles and routes", arguments: [Role.viewer, .support, .owner])
    func matrix(role: Role) async throws {
        try await withAdminServer { server in
            let token = try await server.token(role)
            var denied = 0
            for route in Self.routes {
                let anonymous = try await server.send(route.method, route.path)
                #expect(anonymous.status == 401 && anonymous.string("code") == "authentication-required")
                let answer = try await server.send(route.method, route.path, token: token)
                if role >= route.least {
                    #expect(answer.status == route.status, "\(route.method) \(route.path): \(answer.text)")
                } else {
                    #expect(answer.status == 403 && answer.string("code") == "insufficient-scope")
                    denied += 1
                }
            }
            let recorded = try await server.database.recorded().filter { $0.hasPrefix("operator.denied") }
            #expect(recorded.count == denied)
        }
    }

    @Test("the matrix names every route but login")
    func complete() async throws {
        try await withAdminServer { server in
            // A route that is missing above would be one that a forgotten check could leave open.
            let router = PostkeyRouter(context: PostkeyRequestContext.self)
            server.assembly.add(to: router)
            let all = Set(router.routes.map { "\($0.method.rawValue) \($0.path.description)" })
            let named = Self.routes.map { "\($0.method) \($0.path.replacing(StubService.userID, with: "{id}"))" }
            #expect(all == Set(named + ["POST /v1/admin/login"]))
        }
    }

    @Test("a demotion holds on the next request, a removal too")
    func demotion() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.owner)
            #expect(try await server.send("DELETE", "/v1/admin/cache", token: token).status == 204)
            try await server.database.test.execute("UPDATE admins SET role = 'viewer'")
            #expect(try await server.send("DELETE", "/v1/admin/cache", token: token).status == 403)
            #expect(try await server.send("GET", "/v1/admin/cache", token: token).status == 200)
            try await server.database.test.execute("UPDATE admins SET disabled_at = now()")
            #expect(try await server.send("GET", "/v1/admin/cache", token: token).status == 401)
        }
    }

    @Test("requests keep a session alive beyond the idle limit, up to twelve hours")
    func idle() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.viewer)
            func status(_ change: String) async throws -> Int {
                try await server.database.test.execute("UPDATE admin_sessions SET \(change)")
                return try await server.send("GET", "/v1/admin/cache", token: token).status
            }
            let shift = "created_at = created_at - interval '20 min', last_seen_at = last_seen_at - interval '20 min'"
            for _ in 0..<3 { #expect(try await status(shift) == 200) }
            #expect(try await status("last_seen_at = now() - interval '31 min'") == 401)
        }
    }
}
