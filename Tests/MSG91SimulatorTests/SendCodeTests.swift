import Foundation
import MSG91Simulator
import Testing

/// `POST /api/v5/otp`: answers, their order, and what reaches the phone.
@Suite struct SendCodeTests {
    @Test func acceptedMessageReachesTheInbox() async throws {
        try await withPhone { phone async throws in
            let reply = try await phone.sendCode(extra: "&CRQID=abc-1")
            #expect(reply.status == 200)
            let id = try #require(reply.requestID)
            #expect(reply.text == "{\"request_id\":\"\(id)\",\"type\":\"success\"}")
            #expect(id.wholeMatch(of: /[0-9a-f]{24}/) != nil)
            let inbox = try await phone.call("/messages?mobile=\(Phone.mobile)", key: nil)
            let row = try #require(inbox.rows.first)
            #expect(inbox.rows.count == 1)
            #expect(
                Set(row.keys) == [
                    "mobile", "otp", "text", "channel", "template_id", "request_id", "crqid", "received_at",
                ])
            #expect(row["otp"] as? String == "482913")
            #expect(
                row["text"] as? String
                    == "482913 is your Postkey code. Do not share it with anyone.\n\n@localhost #482913")
            #expect(row["channel"] as? String == "sms")
            #expect(row["request_id"] as? String == id)
            #expect(row["crqid"] as? String == "abc-1")
            #expect((row["received_at"] as? String)?.hasSuffix("Z") == true)
        }
    }

    @Test func getAndFormAndJSONAreUnderstood() async throws {
        try await withPhone { phone async throws in
            let query = "template_id=\(Phone.template)&mobile=911111111111&otp=1111"
            #expect(try await phone.call("/api/v5/otp?\(query)&authkey=\(Phone.key)", key: nil).requestID != nil)
            let form = "template_id=\(Phone.template)&mobile=%39%31222222222%32&otp=2222&authkey=\(Phone.key)"
            let formReply = try await phone.call(
                "/api/v5/otp", method: "POST", key: nil, body: form,
                contentType: "application/x-www-form-urlencoded; charset=utf-8")
            #expect(formReply.requestID != nil)
            let json =
                "{\"template_id\":\"\(Phone.template)\",\"mobile\":913333333333,\"otp\":3333,\"authkey\":\"\(Phone.key)\"}"
            #expect(try await phone.call("/api/v5/otp/", method: "POST", key: nil, body: json).requestID != nil)
            // The query is looked at first.
            let both = try await phone.call(
                "/api/v5/otp?mobile=914444444444&otp=4444", method: "POST", body: json)
            #expect(both.requestID != nil)
            let codes = phone.gateway.messages().map { "\($0.mobile) \($0.otp ?? "")" }
            #expect(codes == ["914444444444 4444", "913333333333 3333", "912222222222 2222", "911111111111 1111"])
            #expect(phone.gateway.requests().map(\.authKeyPosition) == ["header", "body", "body", "query"])
        }
    }

    @Test func orderOfChecks() async throws {
        try await withPhone { phone async throws in
            // Everything is wrong; one thing after the other is put right.
            phone.gateway.updateAccount {
                $0.ipAllowed = false
                $0.balance = 0
            }
            func reply(mobile: Bool, template: Bool, key: String?) async throws -> String {
                let path =
                    "/api/v5/otp?realTimeResponse=1&otp=1234&template_id=\(template ? Phone.template : "x")"
                    + (mobile ? "&mobile=\(Phone.mobile)" : "")
                return try await phone.call(path, method: "POST", key: key, body: "{}").text
            }
            let noMobile = try await reply(mobile: false, template: false, key: nil)
            #expect(noMobile == error("Please enter atleast one number to send sms."))
            let noTemplate = try await reply(mobile: true, template: false, key: nil)
            #expect(noTemplate == error("The provided flow ID or template ID is invalid."))
            let noKey = try await reply(mobile: true, template: true, key: nil)
            #expect(noKey == error("Auth Key missing"))
            let badKey = try await reply(mobile: true, template: true, key: "x")
            #expect(badKey == error("Invalid authkey", code: "201"))
            let badAddress = try await reply(mobile: true, template: true, key: Phone.key)
            #expect(badAddress == error("IP is not whitelisted", code: "418"))
            phone.gateway.updateAccount { $0.ipAllowed = true }
            let noBalance = try await reply(mobile: true, template: true, key: Phone.key)
            #expect(noBalance == error("Insufficient balance", code: "301"))
            phone.gateway.updateAccount { $0.balance = 1 }
            #expect(try await reply(mobile: true, template: true, key: Phone.key).contains("success"))
            #expect(phone.gateway.account().balance == 0)
            phone.gateway.updateAccount { $0.balance = nil }
            let duplicate = try await reply(mobile: true, template: true, key: Phone.key)
            #expect(duplicate == duplicateText)
            #expect(phone.gateway.messages().count == 1)
        }
    }

    @Test func otherTexts() async throws {
        try await withPhone { phone async throws in
            #expect(try await phone.sendCode(template: Phone.flow).text.contains("template ID is invalid"))
            #expect(try await phone.sendCode(extra: "&otp_length=3").text == error("invalid_otp_length"))
            #expect(try await phone.sendCode(extra: "&otp_expiry=10081").text == error("invalid_otp_expiry"))
            for bad in ["123", "91987654321x", "919876543210,918888888888", "%2B919876543210", "1234567890123456"] {
                let reply = try await phone.sendCode(bad)
                #expect(reply.text == error("Invalid mobile number", code: "202"), "\(bad)")
            }
            #expect(phone.gateway.messages().isEmpty)
            #expect(try await phone.sendCode(otp: nil, extra: "&otp_length=9").requestID != nil)
            #expect(phone.gateway.messages().first?.otp?.wholeMatch(of: /[0-9]{9}/) != nil)
        }
    }

    @Test func withoutRealTimeResponseErrorsAreSuccesses() async throws {
        try await withPhone { phone async throws in
            #expect(try await phone.sendCode(realTime: false, key: "wrong").requestID != nil)
            phone.gateway.updateAccount { $0.ipAllowed = false }
            #expect(try await phone.sendCode(realTime: false).requestID != nil)
            phone.gateway.updateAccount { $0.ipAllowed = true }
            #expect(try await phone.sendCode(realTime: false).requestID != nil)
            let duplicate = try await phone.sendCode(realTime: false)
            #expect(duplicate.requestID != nil)
            #expect(phone.gateway.messages().count == 1)
            #expect(phone.gateway.failedMessages().map(\.code) == ["311", "418", "201"])
            let listed = try await phone.call("/failed-messages", key: nil)
            #expect(listed.rows.first?["request_id"] as? String == duplicate.requestID)
            // The template is always judged at once, the key when the account is strict about it.
            #expect(try await phone.sendCode(realTime: false, template: "x").text.contains("template ID is invalid"))
            phone.gateway.updateAccount { $0.strict = [.key] }
            let strict = try await phone.sendCode(realTime: false, key: "wrong")
            #expect(strict.text == error("Invalid authkey", code: "201"))
        }
    }

    @Test func duplicateIsSameContentWithinTenSeconds() async throws {
        try await withPhone { phone async throws in
            #expect(try await phone.sendCode(otp: "1111").requestID != nil)
            #expect(try await phone.sendCode(otp: "2222").requestID != nil, "other content")
            #expect(try await phone.sendCode("919999999998", otp: "2222").requestID != nil, "other number")
            #expect(try await phone.sendCode(otp: "2222").text == duplicateText)
            #expect(phone.gateway.messages(to: Phone.mobile).map(\.otp) == ["2222", "1111"])
        }
    }

    @Test func templateVariables() async throws {
        let text = "##OTP## for ##name##: ####, ##missing##; #1 ##OTP##"
        try await withPhone(SimulatorConfiguration(text: text)) { phone async throws in
            let path = "/api/v5/otp?template_id=\(Phone.template)&mobile=\(Phone.mobile)&otp=1234"
            _ = try await phone.call(path, method: "POST", body: "{\"name\":\"A ##OTP## \\\"B\\\"\"}")
            #expect(phone.gateway.messages().first?.text == "1234 for A ##OTP## \"B\": ####, ; #1 1234")
        }
    }

    @Test func operatorsRejectOtherThanDigitsAndLongVariables() async throws {
        try await withPhone(SimulatorConfiguration(text: "##OTP## ##name##")) { phone async throws in
            #expect(try await phone.sendCode(otp: "12a4").requestID != nil)
            let long = String(repeating: "n", count: 41)
            #expect(try await phone.sendCode(extra: "&name=\(long)").requestID != nil)
            #expect(phone.gateway.messages().isEmpty)
            #expect(phone.gateway.failedMessages().map(\.code) == ["25", "16"])
        }
    }

    @Test func requestIDsSpellTheTimeInIndia() async throws {
        try await withPhone { phone async throws in
            let id = try #require(try await phone.sendCode().requestID)
            let digits = Array(id)
            let characters = stride(from: 0, to: 12, by: 2).compactMap {
                UInt8(String(digits[$0...($0 + 1)]), radix: 16).map { Character(Unicode.Scalar($0)) }
            }
            var calendar = Calendar(identifier: .gregorian)
            calendar.timeZone = try #require(TimeZone(secondsFromGMT: 19_800))
            let now = calendar.dateComponents([.year, .month, .day, .hour], from: .now)
            let letters = Array("0abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
            #expect(characters[0] == Character("\((now.year ?? 0) % 10)"))
            #expect(characters[1] == letters[now.month ?? 0])
            #expect(characters[2] == letters[now.day ?? 0])
        }
    }
}
