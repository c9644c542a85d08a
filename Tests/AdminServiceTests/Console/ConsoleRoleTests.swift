import Foundation
import HTTPServer
import Hummingbird
import Identity
import Testing

@testable import AdminService

@Suite("Console: who may do what", .timeLimit(.minutes(2)))
struct ConsoleRoleTests {
    /// Every page with the least role it needs.
    private static let pages: [(path: String, least: Role)] = [
        ("/", .viewer), ("/users", .viewer), ("/users/\(StubService.userID)", .viewer), ("/messages", .viewer),
        ("/destinations", .viewer), ("/audit", .viewer), ("/operators", .owner), ("/caches", .viewer),
        ("/account", .viewer),
    ]
    /// What is there for those who are not signed in, or ends without a word then.
    private static let unguarded: Set = [
        "GET /sign-in", "POST /sign-in", "POST /sign-in/again", "POST /sign-in/confirm", "GET /live/dashboard",
    ]

    @Test("ADM-01, ADM-02: the matrix of roles, pages and forms", arguments: [Role.viewer, .support, .owner])
    func matrix(role: Role) async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(role)
            let token = try TestBrowser.formToken(try await browser.get("/account").text)
            let anonymous = TestBrowser(server)
            var denied = 0
            for page in Self.pages {
                let sentAway = try await anonymous.get(page.path)
                #expect(sentAway.status == 303 && sentAway.header("Location")?.hasPrefix("/sign-in") == true)
                let answer = try await browser.get(page.path)
                #expect(answer.status == (role >= page.least ? 200 : 403), "\(page.path)")
                if role < page.least { denied += 1 }
            }
            for form in try ConsoleForm.all() {
                let sentAway = try await anonymous.post(form.path, form.fields)
                #expect(sentAway.status == 303 && sentAway.header("Location")?.hasPrefix("/sign-in") == true)
                let done = server.users.done.count + server.otp.done.count
                let answer = try await browser.post(form.path, form.fields.merging(["form_token": token]) { $1 })
                if role >= form.least {
                    #expect(answer.status == form.status, "\(form.path): \(answer.text)")
                } else {
                    #expect(answer.status == 403 && answer.text.contains("You may not do this"), "\(form.path)")
                    #expect(server.users.done.count + server.otp.done.count == done, "\(form.path)")
                    denied += 1
                }
            }
            let recorded = try await server.database.recorded().filter { $0.hasPrefix("operator.denied") }
            #expect(recorded.count == denied)
        }
    }

    @Test("the matrix names every page and every form but those of the sign-in")
    func complete() async throws {
        try await withAdminServer { server in
            let settings = AdminSettings(
                userServiceURL: "http://127.0.0.1:1", otpServiceURL: "http://127.0.0.1:1", dashboardTTL: .seconds(1),
                usersTTL: .seconds(1), secret: AdminDatabase.secret)
            let console = try Console(
                assembly: server.assembly, client: server.client, keys: AdminDatabase.keys, settings: settings,
                isProduction: false)
            let router = PostkeyRouter(context: PostkeyRequestContext.self)
            console.add(to: router)
            let all = router.routes.map { "\($0.method.rawValue) \($0.path.description)" }
                .filter { !$0.hasPrefix("GET /assets/") }
            let named =
                Self.pages.map { "GET \(ConsoleForm.template($0.path))" }
                + (try ConsoleForm.all().map { "POST \(ConsoleForm.template($0.path))" })
            #expect(Set(all) == Set(named).union(Self.unguarded))
        }
    }
}

/// A form of the console that changes something, with fields that are right.
struct ConsoleForm: Sendable {
    let path: String
    let least: Role
    let fields: [String: String]
    /// When it is done.
    let status: Int

    init(_ path: String, _ least: Role, _ fields: [String: String] = [:], status: Int = 303) {
        self.path = path
        self.least = least
        self.fields = fields
        self.status = status
    }

    /// With the names of its parameters.
    static func template(_ path: String) -> String {
        path.replacing(StubService.userID, with: "{id}").replacing(AccessTests.nobody, with: "{id}")
    }

    /// All of them, in an order in which all succeed; the one that ends the session is the last.
    static func all() throws -> [ConsoleForm] {
        let user = "/users/\(StubService.userID)"
        let operators = "/operators/\(AccessTests.nobody)"
        let reason = ["reason": "asked for by telephone"]
        let found = try Sealer(keys: AdminDatabase.keys, purpose: "searches").seal("+919876543299")
        return [
            ConsoleForm("/theme", .viewer, ["theme": "dark"]),
            ConsoleForm("/users", .viewer, ["search": "asha"]),
            ConsoleForm("\(user)/reveal", .support, reason, status: 200),
            ConsoleForm("\(user)/sign-out", .support, reason), ConsoleForm("\(user)/suspend", .support, reason),
            ConsoleForm("\(user)/reactivate", .support, reason), ConsoleForm("\(user)/unlock", .support, reason),
            ConsoleForm("/messages", .support, ["phone": "+919876543299"]),
            ConsoleForm("/messages/unlock", .support, reason.merging(["q": found]) { $1 }),
            ConsoleForm("/destinations", .support, reason.merging(["prefix": "IN", "decision": "block"]) { $1 }),
            ConsoleForm("/destinations/sending", .support, reason.merging(["decision": "pause"]) { $1 }),
            ConsoleForm("/audit/export", .support, status: 200), ConsoleForm("/caches/clear", .support),
            ConsoleForm("/operators", .owner, ["phone": "+919876500009", "role": "viewer"], status: 201),
            ConsoleForm("\(operators)/role", .owner, ["role": "support"], status: 404),
            ConsoleForm("\(operators)/remove", .owner), ConsoleForm("/sign-out", .viewer),
        ]
    }
}
