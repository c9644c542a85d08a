import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing

@testable import AdminService

@Suite("Console: what operators do", .timeLimit(.minutes(2)))
struct ConsoleActionTests {
    private static let user = "/users/\(StubService.userID)"

    @Test("a form sent twice suspends once and is recorded once; without a reason nothing happens")
    func suspend() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.support)
            let without = try await browser.submit(Self.user, to: "\(Self.user)/suspend", ["reason": "  "])
            #expect(without.status == 400 && server.users.done.isEmpty)
            let fields = ["reason": "stolen <phone>", "key": "one-form"]
            var said = ""
            for _ in 0..<2 {
                let answer = try await browser.submit(Self.user, to: "\(Self.user)/suspend", fields)
                said = answer.header("Location") ?? ""
                #expect(answer.status == 303 && answer.header("Location")?.hasPrefix("\(Self.user)?done=") == true)
            }
            #expect(server.users.done == ["users/\(StubService.userID)/suspend"])
            let page = try await browser.get(said)
            #expect(
                page.text.contains("The user is suspended") && page.text.contains(#"action="\#(Self.user)/reactivate""#)
            )
            #expect(
                try await server.database.recorded().filter { $0.hasPrefix("user.suspended") } == [
                    "user.suspended stolen <phone>"
                ])
            let log = try await browser.get("/audit?target=user:\(StubService.userID)")
            #expect(log.text.contains("suspended a user") && log.text.contains("stolen &lt;phone&gt;"))
        }
    }

    @Test("ADM-21: a phone is masked until support reveals it, in one answer, recorded first")
    func reveal() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.support, phone: "+919876500001")
            #expect(!(try await browser.get(Self.user)).text.contains("+919876543210"))
            let shown = try await browser.submit(Self.user, to: "\(Self.user)/reveal", ["reason": "the caller asks"])
            #expect(shown.status == 200 && shown.text.contains("+919876543210"))
            #expect(shown.header("Cache-Control") == "no-store")
            #expect(!(try await browser.get(Self.user)).text.contains("+919876543210"))
            #expect(try await server.database.recorded().contains("user.phone_revealed the caller asks"))

            let viewer = try await server.browser(.viewer, phone: "+919876500002")
            let page = try await viewer.get(Self.user).text
            #expect(!page.contains("/reveal"))
            let refused = try await viewer.submit("/account", to: "\(Self.user)/reveal", ["reason": "curious"])
            #expect(refused.status == 403 && !refused.text.contains("+919876543210"))
        }
    }

    @Test("with user-service away an action says that nothing was done")
    func away() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.support)
            server.users.become(.status(503))
            let answer = try await browser.submit("/account", to: "\(Self.user)/suspend", ["reason": "x"])
            #expect(answer.status == 503 && answer.text.contains("nothing was done"))
        }
    }

    @Test("who has to wait for an earlier act is told to try again, not to correct something")
    func waiting() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.support)
            server.otp.become(.status(503))
            let fields = ["prefix": "IN", "reason": "pumping", "decision": "block"]
            let first = try await browser.submit("/account", to: "/destinations", fields)
            #expect(first.status == 503 && first.text.contains("will be finished when it answers"))
            let second = try await browser.submit("/account", to: "/destinations", fields)
            #expect(second.status == 409 && second.text.contains("waits for otp-service"))
            #expect(second.text.contains("Go back and send it again in a moment."))
            #expect(!second.text.contains("correct"))
        }
    }

    @Test("a destination is blocked by what support types, and shown with its state")
    func destinations() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.support)
            let page = try await browser.get("/destinations?prefix=%2B9198765")
            #expect(page.text.contains(#"value="+9198765""#) && page.text.contains("stopped"))
            let fields = ["prefix": "+91 98765", "reason": "pumping", "decision": "block"]
            let answer = try await browser.submit("/destinations", to: "/destinations", fields)
            #expect(answer.status == 303 && server.otp.done == ["destinations/%2B9198765/block"])
            for bad in ["", "+0", "India", "<b>"] {
                let refused = try await browser.submit(
                    "/destinations", to: "/destinations", fields.merging(["prefix": bad]) { $1 })
                #expect(refused.status == 400)
            }
            server.otp.become(.status(503))
            #expect(try await browser.get("/destinations").status == 200)
            let viewer = try await server.browser(.viewer, phone: "+919876500002")
            #expect(!(try await viewer.get("/destinations")).text.contains("Decide about"))
        }
    }

    @Test("paused sending is shown with what resumes it, and resumed from there")
    func pause() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.support)
            for (decision, offered) in [("pause", "resume"), ("resume", "pause")] {
                let answer = try await browser.submit(
                    "/destinations", to: "/destinations/sending", ["decision": decision, "reason": "a bill"])
                #expect(answer.status == 303 && server.otp.done.last == "budget/\(decision)")
                let page = try await browser.get("/destinations")
                #expect(page.text.contains(#"name="decision" value="\#(offered)""#))
                #expect(!page.text.contains(#"name="decision" value="\#(decision)""#))
                #expect(page.text.contains("All sending is paused") == (decision == "pause"))
            }
        }
    }

    @Test("OTP-18: a phone that was looked for is unlocked, a user's or not; the audit log has it masked")
    func unlock() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.support, phone: "+919876500001")
            #expect(!(try await browser.get("/messages")).text.contains("/messages/unlock"))
            let found = try await browser.submit("/messages", to: "/messages", ["phone": "098765 43299"])
            let page = try await browser.get(try #require(found.header("Location")))
            let sealed = try #require(page.text.firstMatch(of: /name="q" value="([^"]+)"/)?.output.1)
            let fields = ["q": String(sealed), "reason": "called by telephone"]
            let answer = try await browser.submit("/messages", to: "/messages/unlock", fields)
            #expect(answer.status == 303 && server.otp.done == ["phones/%2B919876543299/unlock"])
            let location = try #require(answer.header("Location"))
            #expect(!location.contains("9876543299"))
            #expect(try await browser.get(location).text.contains("not locked any more"))
            let rows = try await server.database.test.execute(
                "SELECT concat_ws('|', action, target_kind, target_id, outcome, reason) FROM audit_log WHERE target_kind = 'phone'"
            )
            #expect(rows == ["user.phone_unlocked|phone|+9198*****299|done|called by telephone"])
            for (name, bad) in [("q", "00"), ("q", ""), ("reason", "")] {
                let refused = try await browser.submit(
                    "/messages", to: "/messages/unlock", fields.merging([name: bad]) { $1 })
                #expect(refused.status == 400)
            }
            let viewer = try await server.browser(.viewer, phone: "+919876500002")
            let denied = try await viewer.submit("/messages", to: "/messages/unlock", fields)
            #expect(denied.status == 403 && server.otp.done.count == 1)
        }
    }

    @Test("OTP-18: a user's phone is unlocked from their page")
    func unlockUser() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.support, phone: "+919876500001")
            let answer = try await browser.submit(
                "\(Self.user)", to: "\(Self.user)/unlock", ["reason": "called by telephone"])
            #expect(answer.status == 303 && server.otp.done == ["phones/%2B919876543210/unlock"])
            #expect(try await browser.get(try #require(answer.header("Location"))).text.contains("not locked any more"))
        }
    }

    @Test("messages are masked; to look for a phone is for support, and the phone travels sealed")
    func messages() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.support, phone: "+919876500001")
            let page = try await browser.get("/messages")
            #expect(page.status == 200 && page.text.contains("+9198*****210") && !page.text.contains("+919876543210"))
            let found = try await browser.submit("/messages", to: "/messages", ["phone": "+91 98765 43210"])
            let path = try #require(found.header("Location"))
            #expect(path.hasPrefix("/messages?q=") && !path.contains("9876543210"))
            #expect(try await browser.get(path).status == 200)
            #expect(server.otp.asked.last?.contains("phone=%2B919876543210") == true)
            #expect(try await browser.submit("/messages", to: "/messages", ["phone": "x"]).status == 400)

            let viewer = try await server.browser(.viewer, phone: "+919876500002")
            #expect(!(try await viewer.get("/messages")).text.contains(#"name="phone""#))
            #expect(try await viewer.get(path).status == 403)
            server.otp.become(.status(503))
            let away = try await viewer.get("/messages", headers: [("Cache-Control", "no-cache")])
            #expect(away.status == 503 && away.text.contains("otp-service gives no answer"))
        }
    }

    @Test("an owner adds an operator whose secrets are shown in that answer only, changes the role and removes them")
    func operators() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.owner)
            let fields = ["phone": "+91 98765 00009", "role": "support"]
            let added = try await browser.submit("/operators", to: "/operators", fields)
            #expect(
                added.status == 201 && added.text.contains("otpauth://totp/") && added.text.contains("class=\"qr\""))
            #expect(added.text.matches(of: /[A-Z2-7]{4}(-[A-Z2-7]{4}){5}/).count == RecoveryCode.count)
            let list = try await browser.get("/operators").text
            #expect(list.contains("+919876500009") && !list.contains("otpauth"))
            let id = try #require(list.firstMatch(of: /action="\/operators\/([0-9a-f-]{36})\/role"/)).1
            // As after an answer that was lost, with the secret in it.
            let again = try await browser.submit("/operators", to: "/operators", fields)
            #expect(again.status == 303, "\(again.text)")
            let known = try await browser.get(try #require(again.header("Location"))).text
            #expect(known.contains("remove them and add them again"))
            let changed = try await browser.submit("/operators", to: "/operators/\(id)/role", ["role": "viewer"])
            #expect(changed.status == 303)
            #expect(try await browser.submit("/operators", to: "/operators/\(id)/remove", [:]).status == 303)
            #expect(!(try await browser.get("/operators")).text.contains("+919876500009"))

            let own = try #require(try await browser.get("/account").text.firstMatch(of: /<code>([0-9a-f-]{36})</)).1
            let refused = try await browser.submit("/operators", to: "/operators/\(own)/remove", [:])
            #expect(refused.status == 409 && refused.text.contains("Nothing was changed"))
        }
    }

    @Test("ADM-02: operators and their page are for owners")
    func owners() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.support)
            #expect(!(try await browser.get("/")).text.contains(#"href="/operators""#))
            #expect(try await browser.get("/operators").status == 403)
            let refused = try await browser.submit(
                "/account", to: "/operators", ["phone": "+919876500009", "role": "owner"])
            #expect(refused.status == 403)
            #expect(try await server.database.scalar("SELECT count(*)::int8 FROM admins") == 1)
        }
    }

    @Test("ADM-14: the audit log is exported by a form, as a file, and that is recorded")
    func export() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.support)
            let file = try await browser.submit(
                "/audit", to: "/audit/export", ["action": "operator.signed_in", "to": ""])
            #expect(file.status == 200 && file.header("Content-Type")?.hasPrefix("text/csv") == true)
            #expect(file.header("Content-Disposition")?.contains("attachment") == true)
            #expect(file.header("Cache-Control") == "no-store")
            #expect(file.text.contains("operator.signed_in") && !file.text.contains("operator.created"))
            #expect(try await server.database.recorded().contains("audit_log.exported"))
            #expect(try await browser.get("/audit?from=soon").status == 400)
        }
    }

    @Test("a recovery code stands in the place of the authenticator's")
    func recovery() async throws {
        try await withAdminServer { server in
            let admin = try await server.database.enrol(.viewer)
            let browser = TestBrowser(server)
            _ = try await browser.submit("/sign-in", to: "/sign-in", ["phone": "+919876543210"])
            let code = try #require(admin.recoveryCodes.first).text.lowercased()
            let answer = try await browser.submit(
                "/sign-in", to: "/sign-in/confirm", ["code": "123456", "second_factor": code])
            #expect(answer.status == 303 && answer.header("Location") == "/")
        }
    }
}
