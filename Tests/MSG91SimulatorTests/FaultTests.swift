import HTTPClient
import MSG91Simulator
import Testing

/// Faults by number and by command.
@Suite struct FaultTests {
    private static let send = "/api/v5/otp?template_id=\(Phone.template)&otp=1234&realTimeResponse=1&mobile="

    @Test(arguments: [
        ("0201", error("Invalid authkey", code: "201")), ("0301", error("Insufficient balance", code: "301")),
        ("0418", error("IP is not whitelisted", code: "418")),
    ])
    func refusedNumbers(_ digits: String, _ answer: String) async throws {
        try await withPhone { phone async throws in
            #expect(try await phone.sendCode("91987654\(digits)").text == answer)
            #expect(phone.gateway.messages().isEmpty)
            phone.gateway.updateAccount { $0.faultNumbers = false }
            #expect(try await phone.sendCode("91987654\(digits)").requestID != nil)
        }
    }

    @Test func duplicateNumberGotItsMessage() async throws {
        try await withPhone { phone async throws in
            #expect(try await phone.sendCode("919876540311").text == duplicateText)
            #expect(phone.gateway.messages().count == 1)
            #expect(try await phone.sendCode("919876540311").text == duplicateText)
            #expect(phone.gateway.messages().count == 1)
        }
    }

    @Test func acceptThenTimeoutNumber() async throws {
        try await withPhone { phone async throws in
            let path = "\(Self.send)919876540504"
            #expect(await phone.failure(path, timeout: .milliseconds(300)) == .timeout(maybeSent: true))
            #expect(phone.gateway.messages().count == 1)
            let again = try await phone.call(path)
            #expect(again.text == duplicateText, "the second attempt learns that the first was accepted")
            #expect(phone.gateway.messages().count == 1)
        }
    }

    @Test(arguments: [("9002", "2"), ("9016", "16"), ("9017", "17"), ("9009", "9"), ("9020", "20")])
    func undeliveredNumbers(_ digits: String, _ code: String) async throws {
        try await withPhone { phone async throws in
            #expect(try await phone.sendCode("91987654\(digits)").requestID != nil)
            #expect(phone.gateway.messages().isEmpty)
            #expect(phone.gateway.failedMessages().map(\.code) == [code])
        }
    }

    @Test func connectionFaults() async throws {
        try await withPhone { phone async throws in
            _ = try await phone.put("/faults", "{\"requests\":1,\"reset_before\":true}")
            #expect(await phone.failure("\(Self.send)911111111111") == .reset(maybeSent: true))
            #expect(phone.gateway.messages().isEmpty)
            _ = try await phone.put("/faults", "{\"requests\":1,\"reset_after\":true}")
            #expect(await phone.failure("\(Self.send)911111111111") == .reset(maybeSent: true))
            #expect(phone.gateway.messages().count == 1)
            _ = try await phone.put("/faults", "{\"hang\":true}")
            let error = await phone.failure("\(Self.send)912222222222", timeout: .milliseconds(200))
            #expect(error == .timeout(maybeSent: true))
            #expect(try await phone.call("/faults", method: "DELETE").status == 204)
            #expect(phone.gateway.messages().count == 1)
            #expect(try await phone.sendCode("912222222222").requestID != nil)
        }
    }

    @Test func latency() async throws {
        try await withPhone { phone async throws in
            _ = try await phone.put("/faults", "{\"requests\":1,\"latency_ms\":300}")
            let started = ContinuousClock.now
            #expect(try await phone.sendCode().requestID != nil)
            #expect(started.duration(to: .now) >= .milliseconds(300))
        }
    }

    @Test func statusesAndBodies() async throws {
        try await withPhone { phone async throws in
            func reply(_ fault: String) async throws -> Reply {
                _ = try await phone.put("/faults", "{\"requests\":1,\(fault)}")
                return try await phone.call("\(Self.send)91\(Int.random(in: 1_000_000_000...1_999_999_999))5")
            }
            let gatewayTimeout = try await reply("\"status\":504")
            #expect(gatewayTimeout.status == 504)
            #expect(gatewayTimeout.contentType.hasPrefix("text/html"))
            #expect(phone.gateway.messages().isEmpty, "not accepted")
            _ = try await reply("\"status\":502,\"accept\":true")
            #expect(phone.gateway.messages().count == 1)
            let teapot = try await reply(
                "\"status\":418,\"error_code\":\"418\",\"error_message\":\"IP not whitelisted\"")
            #expect(teapot.status == 418)
            #expect(teapot.text == error("IP not whitelisted", code: "418"))
            #expect(try await reply("\"body\":\"empty\"").text.isEmpty)
            #expect(try await reply("\"body\":\"truncated\"").text.hasPrefix("{\"request_id\":\""))
            #expect(try await reply("\"body\":\"truncated\"").requestID == nil)
            #expect(try await reply("\"body\":\"without_id\"").text == "{\"type\":\"success\"}")
            #expect(try await reply("\"body\":\"id_in_message\"")["message"]?.count == 24)
            #expect(try await reply("\"body\":\"extra_fields\"").requestID?.count == 24)
            #expect(try await reply("\"body\":\"html\"").text.hasPrefix("<html>"))
            let numeric = try await reply("\"error_code\":\"201\",\"body\":\"code_as_number\"")
            #expect(numeric.text.hasSuffix("\"code\":201}"))
            #expect(phone.gateway.faults().isEmpty)
        }
    }

    @Test func faultsAreCountedAndAimed() async throws {
        try await withPhone { phone async throws in
            let faults =
                "[{\"requests\":2,\"mobile\":\"911111111111\",\"status\":500},{\"endpoint\":\"verify\",\"status\":503}]"
            #expect(try await phone.put("/faults", faults).status == 200)
            #expect(try await phone.sendCode("912222222222").status == 200)
            #expect(try await phone.sendCode("911111111111").status == 500)
            #expect(phone.gateway.faults().first?.requests == 1)
            #expect(try await phone.sendCode("911111111111").status == 500)
            #expect(try await phone.sendCode("911111111111").status == 200)
            for _ in 0..<3 { #expect(try await phone.call("/api/v5/otp/verify?mobile=1&otp=1").status == 503) }
        }
    }

    @Test(arguments: ["{\"latency\":5}", "{\"hang\":\"yes\"}", "[{\"status\":500},1]", "x", "{\"body\":\"none\"}", ""])
    func misspeltFaultsAreRefused(_ body: String) async throws {
        try await withPhone { phone async throws in
            #expect(try await phone.put("/faults", body).status == 400)
            #expect(phone.gateway.faults().isEmpty)
        }
    }

    @Test func accountIsChangedMemberByMember() async throws {
        try await withPhone { phone async throws in
            #expect(try await phone.put("/account", "{\"content_type\":\"text/html\",\"balance\":7}").status == 200)
            #expect(try await phone.put("/account", "{\"balanse\":7}").status == 400)
            #expect(try await phone.put("/account", "{\"strict\":[\"nothing\"]}").status == 400)
            let account = phone.gateway.account()
            #expect(account.balance == 7)
            #expect(account.authKeys == [Phone.key])
            #expect(try await phone.sendCode().contentType == "text/html")
        }
    }
}
