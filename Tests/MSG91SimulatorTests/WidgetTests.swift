import Foundation
import MSG91Simulator
import Testing

/// `/api/v5/widget/*` as a server calls them: sent, sent again, answered, and the answer's proof checked.
@Suite struct WidgetTests {
    private static let widget = SimulatorConfiguration.defaultWidgetID

    private func call(
        _ phone: Phone, _ path: String, _ members: [String: String], key: String? = Phone.key,
        widget: String? = Self.widget
    ) async throws -> Reply {
        var members = members
        if let widget { members["widgetId"] = widget }
        let body = String(decoding: try JSONEncoder().encode(members), as: UTF8.self)
        return try await phone.call("/api/v5/widget/\(path)", method: "POST", key: key, body: body)
    }

    /// The id of a code that was sent.
    private func send(_ phone: Phone, _ mobile: String = Phone.mobile) async throws -> String {
        let reply = try await call(phone, "sendOtp", ["identifier": mobile])
        let id = try #require(reply["message"])
        #expect(reply.text == "{\"message\":\"\(id)\",\"type\":\"success\"}" && id.count == 24)
        return id
    }

    @Test func aCodeIsSentAnsweredAndProved() async throws {
        try await withPhone { phone async throws in
            let id = try await send(phone)
            let message = try #require(phone.gateway.messages().first)
            let otp = try #require(message.otp)
            #expect(message.mobile == Phone.mobile && message.requestID == id && message.templateID == Self.widget)
            #expect(message.text == "\(otp) is your Postkey code." && otp.count == 6)
            #expect(try await call(phone, "verifyOtp", ["reqId": id, "otp": "0"]).text == error("OTP not match"))
            let right = try await call(phone, "verifyOtp", ["reqId": id, "otp": otp])
            let token = try #require(right["message"])
            #expect(right["type"] == "success" && token.split(separator: ".").count == 3)
            #expect(
                try await call(phone, "verifyOtp", ["reqId": id, "otp": otp]).text
                    == error("Mobile no. already verified"))
            // As the documentation has it: the key in the body, the widget unnamed.
            let body = "{\"authkey\":\"\(Phone.key)\",\"access-token\":\"\(token)\"}"
            let proved = try await phone.call(
                "/api/v5/widget/verifyAccessToken", method: "POST", key: nil, body: body)
            #expect(proved.text == "{\"message\":\"\(Phone.mobile)\",\"type\":\"success\"}")
            for text in [token + "A", "a.b.c", "x", "..", String(token.dropLast())] {
                let refused = try await call(phone, "verifyAccessToken", ["access-token": text], widget: nil)
                #expect(refused.text == "{\"message\":\"invalid access-token\",\"type\":\"error\",\"code\":701}")
            }
        }
    }

    @Test func aCodeIsSentAgainOverTheChannelAskedFor() async throws {
        try await withPhone { phone async throws in
            let id = try await send(phone)
            for bad in ["3", "99", "x"] {
                let refused = try await call(phone, "retryOtp", ["reqId": id, "retryChannel": bad])
                #expect(refused.text == error("Invalid request", code: "403"))
            }
            #expect(try await call(phone, "retryOtp", ["reqId": id, "retryChannel": "4"])["message"] == id)
            #expect(try await call(phone, "retryOtp", ["reqId": id, "retryChannel": "12"])["message"] == id)
            #expect(try await call(phone, "retryOtp", ["reqId": id]).text == error("OTP retry count maxed out"))
            #expect(phone.gateway.messages().map(\.channel) == [.whatsapp, .voice, .sms])
            #expect(Set(phone.gateway.messages().map(\.otp)).count == 1)
            let other = try await send(phone, "911111111111")
            #expect(try await call(phone, "retryOtp", ["reqId": other])["type"] == "success")
            #expect(phone.gateway.messages().first?.channel == .sms)
        }
    }

    @Test func refusals() async throws {
        try await withPhone { phone async throws in
            let id = try await send(phone)
            let paths = ["sendOtp", "retryOtp", "verifyOtp", "verifyAccessToken"]
            for path in paths {
                for key in [nil, "bad"] {
                    let refused = try await call(phone, path, ["identifier": Phone.mobile, "reqId": id], key: key)
                    #expect(refused.status == 200)
                    #expect(refused.text == error("AuthenticationFailure", code: "201"))
                }
            }
            let invalid = error("Invalid request", code: "403")
            for path in paths { #expect(try await call(phone, path, [:]).text == invalid) }
            #expect(try await call(phone, "sendOtp", ["identifier": Phone.mobile], widget: "other").text == invalid)
            for widget in [nil, "other"] {
                #expect(try await call(phone, "verifyOtp", ["reqId": id, "otp": "1"], widget: widget).text == invalid)
                #expect(try await call(phone, "retryOtp", ["reqId": id], widget: widget).text == invalid)
            }
            #expect(
                try await call(phone, "sendOtp", ["identifier": "12"]).text
                    == error("Invalid mobile number", code: "202"))
            #expect(
                try await call(phone, "sendOtp", ["identifier": "919876540301"]).text
                    == error("Insufficient balance", code: "301"))
            phone.gateway.updateAccount { $0.verifyLimit = 1 }
            #expect(
                try await call(phone, "verifyOtp", ["reqId": id, "otp": "x"]).text == error("OTP empty or not numeric"))
            #expect(try await call(phone, "verifyOtp", ["reqId": id, "otp": "0"]).text == error("OTP not match"))
            #expect(
                try await call(phone, "verifyOtp", ["reqId": id, "otp": "0"]).text
                    == error("Max limit reached for this otp verification"))
            phone.gateway.updateAccount { $0.ipAllowed = false }
            for path in paths {
                #expect(
                    try await call(phone, path, ["identifier": Phone.mobile]).text
                        == error("AuthenticationFailure", code: "418"))
            }
        }
    }

    @Test func faultsReachItToo() async throws {
        try await withPhone { phone async throws in
            let faults = "{\"endpoint\":\"widget_send\",\"mobile\":\"\(Phone.mobile)\",\"status\":500}"
            #expect(try await phone.put("/faults", faults).status == 200)
            #expect(try await call(phone, "sendOtp", ["identifier": Phone.mobile]).status == 500)
            _ = try await send(phone, "911111111111")
            _ = try await call(phone, "sendOtp", ["identifier": "911111111111", "tokenAuth": "sesame"])
            #expect(!(try await phone.call("/requests", key: nil).text).contains("sesame"))
        }
    }
}
