import MSG91Simulator
import Testing

/// `/otp/verify` and `/otp/retry`: every text, and which comes first.
@Suite struct VerifyAndRetryTests {
    private func verify(_ phone: Phone, _ otp: String, mobile: String = Phone.mobile, key: String? = Phone.key)
        async throws -> String
    {
        try await phone.call("/api/v5/otp/verify?mobile=\(mobile)&otp=\(otp)", key: key).text
    }

    private func retry(_ phone: Phone, type: String = "", mobile: String = Phone.mobile) async throws -> String {
        try await phone.call("/api/v5/otp/retry?mobile=\(mobile)\(type)", method: "POST").text
    }

    @Test func verifyTexts() async throws {
        try await withPhone { phone async throws in
            // Measured: a missing key is told like a bad one here, whatever else is wrong.
            #expect(try await verify(phone, "x", key: nil) == error("Invalid authkey", code: "201"))
            #expect(try await verify(phone, "0000", key: "bad") == error("Invalid authkey", code: "201"))
            #expect(try await verify(phone, "1", mobile: "9x") == error("Mobile no. empty or not numeric"))
            #expect(try await verify(phone, "1", mobile: "") == error("Mobile no. empty or not numeric"))
            #expect(try await verify(phone, "12a") == error("OTP empty or not numeric"))
            #expect(try await verify(phone, "1234") == error("Mobile no. not found"))
            _ = try await phone.sendCode(otp: "482913")
            #expect(try await verify(phone, "000000") == error("OTP not match"))
            let right = try await verify(phone, "482913")
            #expect(right == "{\"message\":\"OTP verified success\",\"type\":\"success\"}")
            #expect(try await verify(phone, "482913") == error("Mobile no. already verified"))
            #expect(try await verify(phone, "000000") == error("Mobile no. already verified"))
        }
    }

    @Test func verifyLimitComesBeforeTheRightCode() async throws {
        try await withPhone { phone async throws in
            phone.gateway.updateAccount { $0.verifyLimit = 2 }
            _ = try await phone.sendCode(otp: "1111")
            for _ in 0..<2 { #expect(try await verify(phone, "2222") == error("OTP not match")) }
            #expect(try await verify(phone, "1111") == error("Max limit reached for this otp verification"))
            _ = try await phone.sendCode(otp: "3333")
            #expect(try await verify(phone, "3333").contains("success"), "a new code starts afresh")
        }
    }

    @Test func retryTexts() async throws {
        try await withPhone { phone async throws in
            let badKey = try await phone.call("/api/v5/otp/retry?mobile=x", key: "bad").text
            #expect(badKey == error("Invalid authkey", code: "201"))
            #expect(try await retry(phone, mobile: "9x") == error("Mobile number empty or not numeric"))
            #expect(try await retry(phone) == error("No OTP request found to retryotp"))
            let id = try await phone.sendCode(otp: "1111").requestID
            #expect(
                try await retry(phone, type: "&retrytype=text")
                    == "{\"message\":\"retry send successfully\",\"type\":\"success\"}")
            #expect(try await retry(phone).contains("success"))
            #expect(try await retry(phone, type: "&retrytype=text") == error("OTP retry count maxed out"))
            let messages = phone.gateway.messages()
            #expect(messages.map(\.channel) == [.voice, .sms, .sms], "voice unless told otherwise")
            #expect(messages.map(\.otp) == ["1111", "1111", "1111"])
            #expect(Set(messages.map(\.requestID)) == [id])
        }
    }
}
