import Foundation
import Identity
import Testing

@testable import AdminService

@Suite("Dashboard", .timeLimit(.minutes(2)))
struct DashboardRouteTests {
    @Test("both services' figures in one answer, with its age")
    func figures() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.viewer)
            let answer = try await server.send("GET", "/v1/admin/dashboard?days=7", token: token)
            #expect(answer.status == 200)
            #expect(answer.header("Age").flatMap(Int.init).map { $0 <= 2 } == true)
            #expect(answer.string("as_of") == "2026-11-24T08:00:00.000Z")
            #expect(answer.json("days") as? Int == 7)
            #expect(answer.json("users", "total") as? Int == 3)
            #expect(answer.json("users", "sign_ins", 0, "count") as? Int == 5)
            #expect(answer.json("messages", "sent") as? Int == 20)
            #expect(answer.json("messages", "conversion") as? Double == 0.75)
            #expect(answer.json("messages", "by_day", 1, "day") as? String == "2026-11-24")
            // Of this moment, not of the figures by day.
            #expect(answer.json("messages", "outbox_depth") as? Int == 12)
            #expect(answer.json("messages", "outbox_oldest_seconds") as? Double == 13.5)
            #expect(answer.json("sending", "missing") as? [String] == [])
            #expect(answer.json("missing") as? [String] == [])
            #expect(server.users.asked == ["/internal/statistics?days=7"])
        }
    }

    @Test(
        "age in whole seconds, within the range of the header",
        arguments: [
            (Duration.milliseconds(999), 0), (.milliseconds(1000), 1), (.seconds(-5), 0),
            (.seconds(10_000_000_000), 2_147_483_648),
        ])
    func age(age: Duration, seconds: Int) {
        #expect(Freshness.seconds(age) == seconds)
    }

    @Test("asked once, then remembered; no-cache asks again; another span is another question")
    func caching() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.support)
            func get(_ headers: [(String, String)] = [], days: Int = 30) async throws -> Int {
                let answer = try await server.send(
                    "GET", "/v1/admin/dashboard?days=\(days)", token: token, headers: headers)
                #expect(answer.status == 200)
                return server.users.asked.count
            }
            #expect(try await get() == 1)
            #expect(try await get() == 1)
            #expect(try await get([("Cache-Control", "max-age=0, No-Cache")]) == 2)
            #expect(try await get() == 2)
            #expect(try await get(days: 7) == 3)
            #expect(try await server.send("DELETE", "/v1/admin/cache", token: token).status == 204)
            #expect(try await get() == 4)
            #expect(server.otp.asked.filter { $0.hasPrefix("/internal/statistics") }.count == 4)
            #expect(try await server.database.recorded().contains("cache.cleared"))
        }
    }

    @Test("what otp-service does not say of sending is named, and the queue of before has its time")
    func sendingAway() async throws {
        try await withAdminServer(dashboardTTL: .zero) { server in
            let browser = try await server.browser(.viewer)
            let page = try await browser.get("/").text
            #expect(page.contains("oldest waits 13 s") && !page.contains("at 08:00:01 UTC"))
            server.otp.become(.status(503))
            let away = try await browser.get("/").text
            #expect(away.contains("<dt>Messages today</dt>") && away.contains("otp-service gives no answer</dd>"))
            #expect(away.contains("oldest waits 1.5 s, at 08:00:01 UTC"))
        }
        try await withAdminServer(dashboardTTL: .zero) { server in
            let token = try await server.token(.viewer)
            _ = try await server.send("GET", "/v1/admin/dashboard", token: token)
            server.otp.become(.status(503))
            let answer = try await server.send("GET", "/v1/admin/dashboard", token: token)
            #expect(answer.json("sending", "missing") as? [String] == ["budget", "gateway"])
            #expect(answer.json("messages", "outbox_depth") as? Int == 2)
        }
    }

    @Test("a hundred readers at once are one question")
    func stampede() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.viewer)
            let statuses = try await parallel(100) { _ in
                "\(try await server.send("GET", "/v1/admin/dashboard", token: token).status)"
            }
            #expect(statuses == ["200": 100])
            #expect(
                server.users.asked.count == 1
                    && server.otp.asked.filter { $0.hasPrefix("/internal/statistics") }.count == 1)
        }
    }

    @Test(
        "what a service does not say is named as missing, and the rest shown",
        arguments: [503, 500, 401, 200] as [Int])
    func partial(status: Int) async throws {
        try await withAdminServer { server in
            server.otp.become(status == 200 ? .nonsense : .status(status))
            let token = try await server.token(.viewer)
            let answer = try await server.send("GET", "/v1/admin/dashboard", token: token)
            #expect(answer.status == 200)
            #expect(answer.json("messages") is NSNull)
            #expect(answer.json("missing") as? [String] == ["otp-service"])
            #expect(answer.json("users", "total") as? Int == 3)

            server.users.become(.status(503))
            let remembered = try await server.send("GET", "/v1/admin/dashboard", token: token)
            #expect(remembered.status == 200)
            let fresh = try await server.send(
                "GET", "/v1/admin/dashboard", token: token, headers: [("Cache-Control", "no-cache")])
            #expect(fresh.status == 503 && fresh.header("Retry-After") != nil)
            #expect(fresh.string("detail")?.contains("user-service and otp-service") == true)

            server.users.become(.answering)
            server.otp.become(.answering)
            let back = try await server.send("GET", "/v1/admin/dashboard", token: token)
            #expect(back.json("missing") as? [String] == [], "the failure was remembered")
        }
    }

    @Test("old figures are shown with their age while their service is away")
    func stale() async throws {
        try await withAdminServer(dashboardTTL: .zero) { server in
            let token = try await server.token(.viewer)
            #expect(try await server.send("GET", "/v1/admin/dashboard", token: token).status == 200)
            server.users.become(.status(503))
            let answer = try await server.send("GET", "/v1/admin/dashboard", token: token)
            #expect(answer.status == 200)
            #expect(answer.json("users", "stale") as? Bool == true)
            #expect(answer.json("messages", "stale") as? Bool == false)
            #expect(answer.json("missing") as? [String] == [])
        }
    }

    @Test("services that take requests and never answer cost less than five seconds")
    func blackHole() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.viewer)
            let clock = ContinuousClock()
            server.users.become(.silent)
            let first = try await clock.measure {
                let answer = try await server.send("GET", "/v1/admin/dashboard", token: token)
                #expect(answer.status == 200 && answer.json("missing") as? [String] == ["user-service"])
            }
            let second = try await clock.measure {
                let answer = try await server.send("GET", "/v1/admin/users", token: token)
                #expect(answer.status == 503)
            }
            // Five are promised, and two is how long they are waited for; the rest is for a machine that does other things.
            #expect(first < .seconds(8) && second < .seconds(8))
        }
    }

    @Test(
        "ADM-05: a span outside of one to 366 days is refused",
        arguments: ["0", "367", "-1", "abc", "1.5", "99999999999999999999"])
    func badSpan(days: String) async throws {
        try await withAdminServer { server in
            let token = try await server.token(.viewer)
            let answer = try await server.send("GET", "/v1/admin/dashboard?days=\(days)", token: token)
            #expect(answer.status == 400)
            #expect(answer.json("errors", 0, "field") as? String == "days")
            #expect(server.users.asked.isEmpty)
        }
    }
}
