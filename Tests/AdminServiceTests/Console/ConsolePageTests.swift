import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing

@testable import AdminService

@Suite("Console: pages", .timeLimit(.minutes(2)))
struct ConsolePageTests {
    @Test("the dashboard shows the figures of both services, as chart and as table")
    func dashboard() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.viewer)
            let page = try await browser.get("/?days=7")
            #expect(page.status == 200 && page.text.contains("<title>Dashboard · Postkey</title>"))
            #expect(page.text.contains("75.0 %") && page.text.contains("2 active, 1 suspended"))
            #expect(page.text.contains(#"<th scope="row">23 Nov 2026</th>"#))
            #expect(page.text.contains("barred: the line takes no messages"))
            #expect(page.text.contains(#"<a href="/?days=7" aria-current="true">"#))
            #expect(try await browser.get("/?days=8").status == 400)
        }
    }

    @Test("with a service away the dashboard says what is missing and shows the rest; with both, too")
    func partial() async throws {
        try await withAdminServer(dashboardTTL: .zero) { server in
            let browser = try await server.browser(.viewer)
            server.otp.become(.status(503))
            let page = try await browser.get("/")
            #expect(page.status == 200 && page.text.contains("of otp-service: codes"))
            #expect(page.text.contains("2 active, 1 suspended"))
            server.users.become(.status(503))
            let none = try await browser.get("/?days=90")
            #expect(none.status == 200 && none.text.contains("of user-service: users"))
        }
    }

    @Test("DOS-06: a head that cannot be read is answered with the document, for a program may have sent it")
    func unreadable() async throws {
        try await withAdminServer { server in
            let long = ("X-Long", String(repeating: "a", count: 40_000))
            let answer = try await server.send("GET", "/v1/admin/users", headers: [long])
            #expect(answer.status == 431 && answer.header("Content-Type") == "application/problem+json")
            #expect(answer.string("code") == "headers-too-large")
        }
    }

    @Test("a search leaves no phone in the address, and the list goes on and back")
    func search() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.support)
            let found = try await browser.submit("/users", to: "/users", ["search": "+919876", "status": "active"])
            let path = try #require(found.header("Location"))
            #expect(found.status == 303 && !path.contains("919876") && path.contains("status=active"))
            let page = try await browser.get(path)
            #expect(page.status == 200 && page.text.contains(#"value="+919876""#))
            #expect(server.users.asked.contains { $0.contains("search=%2B919876") && $0.contains("status=active") })

            let next = try #require(page.text.firstMatch(of: /href="([^"]+)" rel="next"/)).1
            let second = try await browser.get(String(next).replacing("&amp;", with: "&"))
            #expect(server.users.asked.last?.contains("cursor=abc") == true)
            #expect(second.text.contains(#"rel="prev""#) && second.text.contains("First page"))
            #expect(try await browser.get("/users?q=00").status == 400)
            #expect(try await browser.get("/users?status=odd").status == 400)
        }
    }

    @Test("with user-service away the list keeps its form, and a user is a page of 503")
    func directoryAway() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.viewer)
            server.users.become(.status(503))
            let list = try await browser.get("/users")
            #expect(list.status == 503 && list.text.contains("user-service gives no answer"))
            #expect(list.text.contains(#"name="search""#))
            let user = try await browser.get("/users/\(StubService.userID)")
            #expect(user.status == 503 && user.header("Retry-After") != nil && user.text.contains("Not available"))
            server.users.become(.status(404))
            #expect(try await browser.get("/users/\(StubService.userID)").status == 404)
        }
    }

    @Test("with a service away what is remembered is shown, and said how old it is; with both back nothing is said")
    func remembered() async throws {
        try await withAdminServer(dashboardTTL: .zero, usersTTL: .zero) { server in
            let browser = try await server.browser(.viewer)
            let paths = ["/users", "/users/\(StubService.userID)", "/destinations", "/"]
            for path in paths { #expect(try await browser.get(path).status == 200) }
            server.users.become(.status(503))
            server.otp.become(.status(503))
            for (path, what) in [
                (paths[0], "user-service gives no answer at the moment. What you see is"),
                (paths[1], "user-service gives no answer at the moment. What you see is"),
                (paths[2], "otp-service gives no answer at the moment. What you see is"),
                (paths[3], "no answer, figures"),
            ] {
                let page = try await browser.get(path)
                #expect(page.status == 200 && page.text.contains(what), "\(path)")
                #expect(page.text.firstMatch(of: /(see is|figures) [0-9.]+ s old/) != nil, "\(path)")
            }
            // What that means for people is said before any figure.
            let away = try await browser.get("/").text
            #expect(away.contains("user-service gives no answer: nobody can sign in."))
            #expect(away.contains("otp-service gives no answer: no code is sent or checked."))
            // What is asked for at the moment only is said to be missing, beside what is remembered.
            #expect(try await browser.get(paths[1]).text.contains("There is no answer about them at the moment."))
            let messages = try await browser.get("/messages")
            #expect(messages.status == 503 && messages.text.contains("otp-service gives no answer"))
            server.users.become(.answering)
            server.otp.become(.answering)
            for path in paths {
                let isBack = try await eventually { try await !browser.get(path).text.contains("no answer") }
                #expect(isBack, "\(path)")
            }
        }
    }

    @Test("the choice of colours is kept in a cookie and comes back to the page")
    func theme() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.viewer)
            #expect(try await browser.get("/account").text.contains(#"data-theme="auto""#))
            let chosen = try await browser.submit("/account", to: "/theme", ["theme": "dark", "return": "/users"])
            #expect(chosen.status == 303 && chosen.header("Location") == "/users")
            #expect(try await browser.get("/users").text.contains(#"data-theme="dark""#))
            _ = try await browser.submit("/account", to: "/theme", ["theme": "auto", "return": "//evil.example"])
            #expect(try await browser.get("/users").text.contains(#"data-theme="auto""#))
        }
    }

    @Test("live figures come as one event, are not sent twice, and do not keep a session alive")
    func live() async throws {
        try await withAdminServer(dashboardTTL: .zero) { server in
            let browser = try await server.browser(.viewer)
            let first = try await browser.get("/live/dashboard?days=7")
            #expect(first.status == 200 && first.header("Content-Type") == "text/event-stream; charset=utf-8")
            let id = try #require(first.text.firstMatch(of: /id: ([0-9a-f]{16})\n/)).1
            #expect(first.text.contains("event: dashboard\ndata: ") && first.text.hasSuffix("\n\n"))
            _ = try await server.database.test.client.write(
                "UPDATE admin_sessions SET created_at = created_at - interval '20 minutes', last_seen_at = last_seen_at - interval '20 minutes'"
            )
            async let waiting = browser.get("/live/dashboard?days=7", headers: [("Last-Event-ID", String(id))])
            try await Task.sleep(for: .milliseconds(300))
            server.otp.become(.status(503))
            #expect(try await waiting.text.contains("no answer, figures"))
            #expect(
                try await server.database.scalar(
                    "SELECT count(*)::int8 FROM admin_sessions WHERE last_seen_at > now() - interval '10 minutes'") == 0
            )
            #expect(try await TestBrowser(server).get("/live/dashboard").text == "event: ended\ndata: signed out\n\n")
        }
    }

    @Test("who has signed out meanwhile is not told the figures that were waited for")
    func liveAfterSignOut() async throws {
        try await withAdminServer(dashboardTTL: .zero) { server in
            let browser = try await server.browser(.viewer)
            let first = try await browser.get("/live/dashboard?days=7")
            let id = try #require(first.text.firstMatch(of: /id: ([0-9a-f]{16})\n/)).1
            async let waiting = browser.get("/live/dashboard?days=7", headers: [("Last-Event-ID", String(id))])
            try await Task.sleep(for: .milliseconds(300))
            _ = try await server.database.test.client.write("UPDATE admin_sessions SET ended_at = now()")
            server.otp.become(.status(503))
            let answer = try await waiting
            #expect(answer.status == 200 && answer.text == "event: ended\ndata: signed out\n\n")
        }
    }

    @Test("a used-up budget is said where destinations are decided about, too")
    func usedUp() async throws {
        try await withAdminServer { server in
            server.otp.useUpBudget()
            let browser = try await server.browser(.viewer)
            for path in ["/", "/destinations"] {
                #expect(try await browser.get(path).text.contains("The budget of today is used up"), "\(path)")
            }
        }
    }
}
