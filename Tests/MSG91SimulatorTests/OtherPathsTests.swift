import Foundation
import MSG91Simulator
import Testing

/// Flow, WhatsApp, logs, unknown paths, and the simulator's own pages.
@Suite struct OtherPathsTests {
    @Test func flow() async throws {
        try await withPhone { phone async throws in
            let body =
                "{\"template_id\":\"\(Phone.flow)\",\"recipients\":[{\"mobiles\":\"911111111111\",\"OTP\":\"1234\"},"
                + "{\"mobiles\":\"912222222222\",\"otp\":\"5678\"}]}"
            let reply = try await phone.call("/api/v5/flow/", method: "POST", body: body)
            let id = try #require(reply["message"])
            #expect(reply.text == "{\"message\":\"\(id)\",\"type\":\"success\"}")
            #expect(
                phone.gateway.messages().map(\.text) == [" is your Postkey code.", "1234 is your Postkey code."],
                "a variable of another name leaves a blank")
            let flat =
                "{\"flow_id\":\"\(Phone.flow)\",\"mobiles\":\"913333333333\",\"OTP\":\"9\",\"realTimeResponse\":\"1\"}"
            let wrongKey = try await phone.call("/api/v5/flow", method: "POST", key: "x", body: flat)
            #expect(wrongKey.text == error("Invalid authkey", code: "201"))
            let template = flat.replacing(Phone.flow, with: Phone.template)
            let wrongTemplate = try await phone.call("/api/v5/flow", method: "POST", body: template)
            #expect(wrongTemplate.text == error("The provided flow ID or template ID is invalid."))
            let wrongKeyLater = try await phone.call(
                "/api/v5/flow", method: "POST", key: "x", body: flat.replacing("\"1\"", with: "\"0\""))
            #expect(wrongKeyLater["type"] == "success", "measured: a bad key is not told")
            #expect(phone.gateway.failedMessages().map(\.code) == ["201"])
        }
    }

    @Test func whatsappSpeaksAnotherDialect() async throws {
        try await withPhone { phone async throws in
            let path = "/api/v5/whatsapp/whatsapp-outbound-message/bulk/"
            let body =
                "{\"payload\":{\"template\":{\"name\":\"login\",\"to_and_components\":[{\"to\":[\"919876543210\"],"
                + "\"components\":{\"body_1\":{\"type\":\"text\",\"value\":\"4829\"}}}]}}}"
            let refused = try await phone.call(path, method: "POST", key: "x", body: body)
            #expect(refused.status == 401)
            #expect(refused["apiError"] == "201")
            #expect(refused.contentType.hasPrefix("text/html"))
            let sent = try await phone.call(path, method: "POST", body: body)
            #expect(sent["status"] == "success")
            #expect(phone.gateway.messages().first?.channel == .whatsapp)
            #expect(phone.gateway.messages().first?.otp == "4829")
            phone.gateway.updateAccount { $0.ipAllowed = false }
            #expect(try await phone.call("/api/v5/report/logs/p/otp")["apiError"] == "418")
        }
    }

    @Test(arguments: [
        ("GET", "/nothing"), ("POST", "/api/v5/otp/other"), ("DELETE", "/api/v5/otp"), ("GET", "/api/sendotp.php"),
        ("GET", "/api/v5/widget/sendOtp"),
    ])
    func unknownPaths(_ method: String, _ path: String) async throws {
        try await withPhone { phone async throws in
            let reply = try await phone.call(path, method: method)
            #expect(reply.status == 404)
            #expect(reply.text == "{\"type\":\"error\",\"msg\":\"Route Missing\"}")
        }
    }

    @Test func malformedInputIsAnswered() async throws {
        try await withPhone { phone async throws in
            let bodies = [
                "{", "[1,2", "\u{0}\u{1}", "{\"mobile\":{\"a\":[]}}", String(repeating: "[", count: 100_000), "null",
                "\"x\"",
                "{\"mobile\":1e400}", "mobile=%zz&&=&=x&mobile",
            ]
            for body in bodies {
                for contentType in ["application/json", "application/x-www-form-urlencoded", "x/y"] {
                    let reply = try await phone.call(
                        "/api/v5/otp", method: "POST", body: body, contentType: contentType)
                    #expect(reply["type"] == "error")
                }
            }
            let large = try await phone.call(
                "/api/v5/otp", method: "POST", body: String(repeating: "x", count: 300_000))
            #expect(large.status == 413)
            #expect(try await phone.sendCode().requestID != nil)
        }
    }

    @Test func inboxPageShowsAndEscapes() async throws {
        try await withPhone(SimulatorConfiguration(text: "##OTP## ##name##")) { phone async throws in
            _ = try await phone.sendCode(extra: "&name=%3Cscript%3Ealert(1)%3C/script%3E%7B%7Botp%7D%7D")
            _ = try await phone.sendCode("918888888888", otp: "777777")
            let page = try await phone.call("/", key: nil)
            #expect(page.contentType == "text/html; charset=utf-8")
            #expect(page.text.contains("&lt;script&gt;alert(1)&lt;/script&gt;{{otp}}"))
            #expect(!page.text.contains("<script>"))
            #expect(page.text.contains("+918888888888"))
            let one = try await phone.call("/?mobile=%2B91%2098765-43210%22%3E", key: nil)
            #expect(!one.text.contains("918888888888"))
            #expect(one.text.contains("value=\"919876543210\""))
            for path in ["/inbox.css", "/inbox.js"] { #expect(try await phone.call(path, key: nil).status == 200) }
            #expect(try await phone.call("/messages", method: "DELETE", key: nil).status == 204)
            #expect(try await phone.call("/messages", key: nil).text == "[]")
            #expect(try await phone.call("/health/live", key: nil).text == "{\"status\":\"ok\"}")
        }
    }

    @Test func memoryIsBounded() async throws {
        var configuration = SimulatorConfiguration()
        configuration.capacity = 3
        try await withPhone(configuration) { phone async throws in
            for number in 0..<8 { _ = try await phone.sendCode("91987654320\(number % 2)", otp: "100\(number)") }
            #expect(phone.gateway.messages().map(\.otp) == ["1007", "1006", "1005"])
            #expect(try await phone.call("/messages?limit=2", key: nil).rows.count == 2)
            #expect(phone.gateway.messages(to: "919876543201").map(\.otp) == ["1007", "1005"])
            #expect(phone.gateway.messages(to: "919876543200").map(\.otp) == ["1006"])
        }
    }

    @Test func requestsAreListedWithoutTheKey() async throws {
        try await withPhone { phone async throws in
            _ = try await phone.call(
                "/api/v5/otp?mobile=1&authkey=sesame", method: "POST", key: nil, body: "{\"a\":\"b\"}")
            let listed = try await phone.call("/requests", key: nil)
            #expect(!listed.text.contains("sesame"))
            let row = try #require(listed.rows.first)
            #expect(row["authkey_in"] as? String == "query")
            #expect(row["parameters"] as? [String: String] == ["mobile": "1", "a": "b"])
        }
    }
}
