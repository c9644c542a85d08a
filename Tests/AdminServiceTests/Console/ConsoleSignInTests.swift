import Foundation
import Identity
import Testing

@testable import AdminService

@Suite("Console: sign-in", .timeLimit(.minutes(2)))
struct ConsoleSignInTests {
    @Test("phone, code and authenticator lead in; a mistake costs only its own field")
    func signIn() async throws {
        try await withAdminServer { server in
            let admin = try await server.database.enrol(.support)
            let browser = TestBrowser(server)
            let gate = try await browser.get("/users?status=active")
            #expect(gate.status == 303 && gate.header("Location") == "/sign-in?return=/users%3Fstatus%3Dactive")

            let bad = try await browser.submit("/sign-in", to: "/sign-in", ["phone": "+0"])
            #expect(bad.status == 400 && bad.text.contains("Enter the whole number"))
            let sent = try await browser.submit("/sign-in", to: "/sign-in?return=/users", ["phone": "+919876543210"])
            #expect(sent.status == 303 && sent.header("Location") == "/sign-in?return=/users")
            let page = try await browser.get("/sign-in?return=/users")
            #expect(page.text.contains("+9198*****210") && !page.text.contains("+919876543210"))

            let confirm = "/sign-in/confirm?return=/users"
            let code = { try await admin.totp.code(step: server.database.step()) }
            let letters = try await browser.submit(
                "/sign-in", to: confirm, ["code": "12345O", "second_factor": "000000"])
            #expect(
                letters.status == 400 && letters.text.contains("Enter the digits") && !letters.text.contains("attempt"))
            let wrong = try await browser.submit(
                "/sign-in", to: confirm, ["code": "000000", "second_factor": try await code()])
            #expect(wrong.status == 422 && wrong.text.contains("4 more attempts"))
            let malformed = try await browser.submit("/sign-in", to: confirm, ["code": "123456", "second_factor": "1"])
            #expect(malformed.status == 400 && malformed.text.contains("name=\"code\""))
            let second = try await browser.submit(
                "/sign-in", to: confirm, ["code": "123456", "second_factor": "000000"])
            #expect(second.status == 422 && second.text.contains("is proven"))
            // The phone is proven: only the second factor is asked for.
            #expect(!second.text.contains("name=\"code\""))
            let right = try await browser.submit("/sign-in", to: confirm, ["second_factor": try await code()])
            #expect(right.status == 303 && right.header("Location") == "/users")
            #expect(await browser.cookies["postkey_sign_in"] == nil)
            #expect(try await browser.get("/users").status == 200)
            #expect(try await browser.get("/sign-in").header("Location") == "/")
        }
    }

    @Test("before the proof a stranger's phone gets the pages of an operator's, after it a refusal that is recorded")
    func stranger() async throws {
        try await withAdminServer { server in
            _ = try await server.database.enrol(.support)
            func pages(_ phone: String) async throws -> [String] {
                let browser = TestBrowser(server)
                let sent = try await browser.submit("/sign-in", to: "/sign-in", ["phone": phone])
                let page = try await browser.get("/sign-in")
                let wrong = try await browser.submit(
                    "/sign-in", to: "/sign-in/confirm", ["code": "000000", "second_factor": "000000"])
                return [sent, page, wrong].map { answer in
                    let text = answer.text.replacing(/value="[0-9a-f]+"/, with: "").replacing(/\+9198\*+\d+/, with: "")
                    return "\(answer.status) \(text)"
                }
            }
            #expect(try await pages("+919876543210") == pages("+919876500000"))

            let browser = TestBrowser(server)
            _ = try await browser.submit("/sign-in", to: "/sign-in", ["phone": "+919876500000"])
            let refused = try await browser.submit(
                "/sign-in", to: "/sign-in/confirm", ["code": "123456", "second_factor": "000000"])
            #expect(refused.status == 403 && refused.text.contains("not an operator"))
            #expect(await browser.cookies["postkey_admin"] == nil)
            #expect(try await server.database.recorded().contains("operator.sign_in_refused not-an-admin"))
        }
    }

    @Test(
        "an operator who gets no code is told what keeps it back, and of the way out",
        arguments: [
            ("+919876500091", 429, "otp-service resume"), ("+919876500092", 429, "otp-service allow"),
            ("+919876500093", 429, "Too many codes were asked for. Try again in 60 minutes."),
            ("+919876500094", 429, "Too many codes were asked for. Try again in 60 minutes."),
            ("+919876500095", 422, "No codes are sent to this kind of number."),
        ])
    func stopped(phone: String, status: Int, text: String) async throws {
        try await withAdminServer { server in
            let answer = try await TestBrowser(server).submit("/sign-in", to: "/sign-in", ["phone": phone])
            #expect(answer.status == status && answer.text.contains(text), "\(answer.text)")
            #expect(answer.text.contains("Too many") == text.contains("Too many"))
        }
    }

    @Test(
        "and so is one who asks for the same code again",
        arguments: [
            ("+919876500191", 429, "otp-service resume"), ("+919876500192", 429, "otp-service allow"),
            ("+919876500193", 422, "The code cannot be sent again."), ("+919876500194", 410, "That code is over."),
            ("+919876543210", 429, "A code is on its way. Try again in 30 seconds."),
        ])
    func stoppedAgain(phone: String, status: Int, text: String) async throws {
        try await withAdminServer { server in
            let browser = TestBrowser(server)
            #expect(try await browser.submit("/sign-in", to: "/sign-in", ["phone": phone]).status == 303)
            let answer = try await browser.submit("/sign-in", to: "/sign-in/again", [:])
            #expect(answer.status == status && answer.text.contains(text), "\(answer.text)")
            #expect(answer.text.contains("is on its way") == text.contains("is on its way"))
        }
    }

    @Test("with otp-service away the page says so and keeps the form")
    func away() async throws {
        try await withAdminServer { server in
            server.otp.become(.status(503))
            let answer = try await TestBrowser(server).submit("/sign-in", to: "/sign-in", ["phone": "+919876543210"])
            #expect(answer.status == 503 && answer.text.contains("otp-service gives no answer"))
            #expect(answer.text.contains("name=\"phone\""))
        }
    }

    @Test("SES-20: the session's cookie has every attribute, is new at each sign-in and cleared at sign-out")
    func cookies() async throws {
        try await withAdminServer(isProduction: true) { server in
            let admin = try await server.database.enrol(.viewer)
            let browser = TestBrowser(server)
            let first = try await browser.get("/sign-in")
            let ticket = try #require(first.header("Set-Cookie"))
            #expect(ticket.hasPrefix("__Host-postkey_sign_in="))
            #expect(first.header("Strict-Transport-Security")?.hasPrefix("max-age=31536000") == true)
            _ = try await browser.submit("/sign-in", to: "/sign-in", ["phone": "+919876543210"])
            let code = try await admin.totp.code(step: server.database.step())
            let answer = try await browser.submit(
                "/sign-in", to: "/sign-in/confirm", ["code": "123456", "second_factor": code])
            let set = answer.headers.filter { $0.0.lowercased() == "set-cookie" }.map(\.1)
            let session = try #require(set.first { $0.hasPrefix("__Host-postkey_admin=") })
            for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Strict", "; Secure"] {
                #expect(session.contains(attribute))
            }
            #expect(!session.contains("Domain") && session.utf8.count <= 4096)

            // In production the plain name is nobody's.
            let value = try #require(await browser.cookies["__Host-postkey_admin"])
            let plain = TestBrowser(server, session: value)
            #expect(try await plain.get("/").status == 303)

            let out = try await browser.submit("/account", to: "/sign-out", [:])
            #expect(out.status == 303 && out.header("Location") == "/sign-in")
            #expect(out.header("Clear-Site-Data") == #""cookies", "storage""#)
            #expect(out.header("Set-Cookie")?.contains("Max-Age=0") == true)
            await browser.keep("__Host-postkey_admin", value)
            #expect(try await browser.get("/").status == 303)
        }
    }
}
