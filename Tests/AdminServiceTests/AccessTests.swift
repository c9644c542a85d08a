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
    struct Route: Sendable {
        let method: String
        let path: String
        let least: Role
        let status: Int
        let body: String?

        init(_ method: String, _ path: String, _ least: Role, _ status: Int, _ body: String? = nil) {
            self.method = method
            self.path = path
            self.least = least
            self.status = status
            self.body = body
        }

        /// With the names of its parameters.
        var template: String {
            "\(method) "
                + path.replacing(StubService.userID, with: "{id}").replacing("%2B9198765", with: "{prefix}")
                .replacing(AccessTests.nobody, with: "{id}").split(separator: "?")[0]
        }
    }

    static let nobody = "0190a0b0-0000-7000-8000-00000000ffff"
    private static let user = "/v1/admin/users/\(StubService.userID)"
    private static let reason = #"{"reason":"asked for by telephone"}"#

    static let routes: [Route] = [
        Route("GET", "/v1/admin/dashboard", .viewer, 200),
        Route("GET", "/v1/admin/users", .viewer, 200),
        Route("GET", "/v1/admin/users/\(StubService.userID)", .viewer, 200),
        Route("GET", "/v1/admin/cache", .viewer, 200),
        Route("DELETE", "/v1/admin/cache", .support, 204),
        Route("POST", "\(user)/suspend", .support, 200, reason),
        Route("POST", "\(user)/reactivate", .support, 200, reason),
        Route("POST", "\(user)/sign-out", .support, 200, reason),
        Route("GET", "/v1/admin/messages", .viewer, 200),
        Route("GET", "/v1/admin/messages?phone=%2B919876543210", .support, 200),
        Route("GET", "/v1/admin/destinations", .viewer, 200),
        Route("POST", "/v1/admin/destinations/%2B9198765/allow", .support, 204, reason),
        Route("POST", "/v1/admin/destinations/%2B9198765/block", .support, 204, reason),
        Route("POST", "/v1/admin/destinations/%2B9198765/reset", .support, 204, reason),
        Route("GET", "/v1/admin/audit-log", .viewer, 200),
        Route("GET", "/v1/admin/audit-log?format=csv", .support, 200),
        Route("GET", "/v1/admin/admins", .owner, 200),
        Route("POST", "/v1/admin/admins", .owner, 201, #"{"phone":"+919876500000","role":"viewer"}"#),
        Route("DELETE", "/v1/admin/admins?id=\(nobody)", .owner, 404),
        Route("DELETE", "/v1/admin/admins/\(nobody)", .owner, 404),
        // Last: it ends the session.
        Route("POST", "/v1/admin/logout", .viewer, 204),
    ]

    @Test("ADM-01: the matrix of roles and routes, denials recorded", arguments: [Role.viewer, .support, .owner])
    func matrix(role: Role) async throws {
        try await withAdminServer { server in
            let token = try await server.token(role)
            var denied = 0
            for route in Self.routes {
                let anonymous = try await server.send(route.method, route.path, body: route.body)
                #expect(anonymous.status == 401 && anonymous.string("code") == "authentication-required")
                let answer = try await server.send(route.method, route.path, token: token, body: route.body)
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
            let named = Self.routes.map(\.template)
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
