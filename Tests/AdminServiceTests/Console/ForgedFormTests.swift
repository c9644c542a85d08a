import Foundation
import Identity
import Testing

@testable import AdminService

@Suite("Console: forged forms", .timeLimit(.minutes(2)))
struct ForgedFormTests {
    /// What a page elsewhere can have a browser send, and what it lacks.
    private struct Attempt: Sendable {
        let token: String?
        let headers: [(String, String)]
    }

    private static func attempts(_ server: AdminServer, good: String, foreign: String) -> [Attempt] {
        let own = ("Origin", server.baseURL)
        return [
            Attempt(token: nil, headers: [own]), Attempt(token: "", headers: [own]),
            Attempt(token: foreign, headers: [own]), Attempt(token: good, headers: []),
            Attempt(token: good, headers: [("Origin", "https://evil.example")]),
            Attempt(token: good, headers: [("Origin", "null")]),
            Attempt(token: good, headers: [own, ("Sec-Fetch-Site", "cross-site")]),
        ]
    }

    private static let refusal = "did not come from a page of this session"

    private static func expectRefusals(
        _ path: String, _ fields: [String: String], _ attempts: [Attempt], _ browser: TestBrowser
    ) async throws {
        for attempt in attempts {
            var fields = fields
            fields["form_token"] = attempt.token
            let answer = try await browser.post(path, fields, headers: attempt.headers)
            #expect(answer.status == 403 && answer.text.contains(refusal), "\(path), \(attempt)")
        }
    }

    @Test("ADM-12: no form of a session is taken from elsewhere, or without the session's own hidden field")
    func session() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.owner)
            let other = try await server.browser(.owner, phone: "+919876500001")
            let attempts = Self.attempts(
                server, good: try TestBrowser.formToken(try await browser.get("/account").text),
                foreign: try TestBrowser.formToken(try await other.get("/account").text))
            let before = try await server.database.recorded()
            for form in try ConsoleForm.all() {
                try await Self.expectRefusals(form.path, form.fields, attempts, browser)
            }
            #expect(try await server.database.recorded() == before)
            #expect(server.users.done.isEmpty && server.otp.done.isEmpty)
            #expect(try await browser.get("/account").status == 200)
        }
    }

    @Test("ADM-12: nor is one of a sign-in", arguments: ["/sign-in", "/sign-in/again", "/sign-in/confirm"])
    func signIn(path: String) async throws {
        try await withAdminServer { server in
            let fields = ["phone": "+919876543210", "code": StubCodes.code, "second_factor": "123456"]
            let browser = TestBrowser(server)
            // A code is under way, so that each of the three has something to do.
            _ = try await browser.submit("/sign-in", to: "/sign-in", fields)
            let good = try TestBrowser.formToken(try await browser.get("/sign-in").text)
            let foreign = try TestBrowser.formToken(try await TestBrowser(server).get("/sign-in").text)
            try await Self.expectRefusals(
                path, fields, Self.attempts(server, good: good, foreign: foreign), browser)
            let own = try await browser.post(path, fields.merging(["form_token": good]) { $1 })
            #expect(own.status == (path == "/sign-in" ? 303 : path == "/sign-in/again" ? 429 : 403))
            #expect(!own.text.contains(Self.refusal))
        }
    }
}
