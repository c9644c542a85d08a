import Foundation
import Identity
import ServiceTestKit
import Testing

@testable import AdminService

/// Support sees whether a phone is locked before anybody lifts anything.
@Suite("Console: locked phones")
struct LockTests {
    private static let user = "/users/\(StubService.userID)"

    @Test(
        "OTP-18: how the phone stands is said in both places, and to unlock is offered where it makes a difference",
        arguments: [
            (#"{"state":"open","failures":0}"#, "Not locked.", false),
            (#"{"state":"open","failures":1}"#, "Not locked; 1 wrong code since the last right one.", true),
            (
                #"{"state":"temporary","failures":20,"until":"2026-11-24T08:15:00.000Z"}"#,
                "Locked until 24 Nov 2026, 08:15 UTC, after 20 wrong codes in a row.", true
            ),
            (
                #"{"state":"permanent","failures":100}"#,
                "Locked until an operator lifts it, after 100 wrong codes in a row.", true
            ),
        ])
    func shown(lock: String, words: String, isOffered: Bool) async throws {
        try await withAdminServer { server in
            server.otp.setLock(lock)
            let browser = try await server.browser(.support, phone: "+919876500001")
            let found = try await browser.submit("/messages", to: "/messages", ["phone": "+919876543210"])
            let messages = try await browser.get(try #require(found.header("Location"))).text
            #expect(messages.contains(words) && messages.contains("/messages/unlock") == isOffered)
            let user = try await browser.get(Self.user).text
            #expect(user.contains(words) && user.contains("\(Self.user)/unlock") == isOffered)
            #expect(user.contains(">locked<") == words.hasPrefix("Locked"))
        }
    }

    @Test("the API passes it on for one phone, and it is no part of the list of all")
    func api() async throws {
        try await withAdminServer { server in
            server.otp.setLock(#"{"state":"permanent","failures":100}"#)
            let token = try await server.token(.support)
            let answer = try await server.send("GET", "/v1/admin/messages?phone=%2B919876543210", token: token)
            #expect(answer.text.contains(#""lock":{"state":"permanent","failures":100,"until":null}"#))
            server.otp.setLock(nil)
            let all = try await server.send("GET", "/v1/admin/messages", token: token)
            #expect(all.status == 200 && !all.text.contains("\"lock\""))
        }
    }
}
