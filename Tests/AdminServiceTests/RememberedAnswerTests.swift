import Foundation
import Identity
import PostgresTestKit
import Testing

@testable import AdminService

@Suite("What is remembered, and for whom", .timeLimit(.minutes(2)))
struct RememberedAnswerTests {
    @Test("ADM-16: one URL for viewer, support and nobody: the same masked answer, and 401")
    func roles() async throws {
        try await withAdminServer { server in
            let viewer = try await server.token(.viewer)
            let owner = try await server.token(.owner, phone: "+919876543211")
            for path in ["/v1/admin/users/\(StubService.userID)", "/v1/admin/users", "/v1/admin/messages"] {
                let headers = [("X-Forwarded-Host", "evil.example"), ("Accept-Language", "de")]
                let first = try await server.send("GET", path, token: owner, headers: headers)
                let second = try await server.send("GET", path, token: viewer, headers: headers)
                #expect(first.status == 200)
                // The order of members is not the same each time.
                #expect(first.json() as? NSDictionary == second.json() as? NSDictionary)
                #expect(!first.text.contains("9876543210") && !first.text.contains("evil.example"))
                #expect(!first.headers.contains { $0.1.contains("evil.example") })
                #expect(try await server.send("GET", path, headers: headers).status == 401)
            }
        }
    }

    @Test("ADM-17: a failure is not remembered: when the service is back, so is the answer")
    func failures() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.support)
            for path in ["/v1/admin/users", "/v1/admin/destinations", "/v1/admin/messages", "/v1/admin/dashboard"] {
                for mode in [StubService.Mode.status(500), .nonsense] {
                    server.users.become(mode)
                    server.otp.become(mode)
                    let away = try await server.send("GET", path, token: token)
                    #expect(away.status == 503 && away.header("Retry-After") != nil, "\(path)")
                    server.users.become(.answering)
                    server.otp.become(.answering)
                    #expect(try await server.send("GET", path, token: token).status == 200, "\(path)")
                    #expect(try await server.send("DELETE", "/v1/admin/cache", token: token).status == 204)
                }
            }
        }
    }
}
