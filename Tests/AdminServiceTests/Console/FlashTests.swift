import Foundation
import HTTPServer
import Identity
import ServiceTestKit
import Testing

@testable import AdminService

/// What a page says was done was done, just now, by whoever reads it.
@Suite("Console: what was just done")
struct FlashTests {
    private static let user = "/users/\(StubService.userID)"
    private static let suspended = "The user is suspended"

    @Test("no link makes a page say it, neither a word, nor that of another page or session")
    func links() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.support, phone: "+919876500001")
            for path in ["\(Self.user)?done=suspend", "/destinations?done=pause", "/caches?done=cleared"] {
                #expect(!(try await browser.get(path)).text.contains("class=\"notice good\""), "\(path)")
            }
            let answer = try await browser.submit(Self.user, to: "\(Self.user)/suspend", ["reason": "stolen"])
            let said = try #require(answer.header("Location"))
            #expect(try await browser.get(said).text.contains(Self.suspended))
            let other = "/users/0190a0b0-0000-7000-8000-00000000000f"
            #expect(!(try await browser.get(said.replacing(Self.user, with: other))).text.contains(Self.suspended))
            let colleague = try await server.browser(.viewer, phone: "+919876500002")
            let seen = try await colleague.get(said)
            #expect(seen.status == 200 && !seen.text.contains(Self.suspended))
        }
    }

    @Test("after a minute it is not said again")
    func age() throws {
        let sealer = Sealer(keys: AdminDatabase.keys, purpose: "flash")
        let flash = Flash(sealer: sealer)
        let now = Date()
        let session = SessionID()
        for (seconds, word) in [(0.0, "suspend"), (59, "suspend"), (61, nil), (-61, nil)] as [(Double, String?)] {
            let text = try flash.text("suspend", about: "x", session, at: now)
            #expect(flash.word(text, about: "x", session, at: now + seconds) == word, "\(seconds)")
            #expect(flash.word(text, about: "y", session, at: now) == nil)
            #expect(flash.word(text, about: "x", SessionID(), at: now) == nil)
        }
    }

    @Test("a destination that is allowed and not permitted, or while all is paused, is not said to be sent to")
    func notPermitted() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.support, phone: "+919876500001")
            let fields = ["prefix": "+9198765", "decision": "allow", "reason": "asked"]
            func allow() async throws -> String {
                let answer = try await browser.submit("/destinations", to: "/destinations", fields)
                return try await browser.get(try #require(answer.header("Location"))).text
            }
            #expect(try await allow().contains("Codes are sent there again."))
            server.otp.setPermitted(false)
            let page = try await allow()
            #expect(page.contains("OTP_ALLOWED_COUNTRIES of otp-service does not have IN"))
            #expect(page.contains(">not in OTP_ALLOWED_COUNTRIES<") && !page.contains("Codes are sent there again."))
            server.otp.setPermitted(true)
            server.otp.pause()
            #expect(try await allow().contains("It is noted, but all sending is paused."))
        }
    }
}
