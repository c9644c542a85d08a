import Foundation
import HTTPClient
import MSG91Simulator
import Testing

/// What the control paths and the forms refuse: it changes nothing, it is explained, and nothing breaks afterwards.
@Suite struct SettingTests {
    private func submit(_ phone: Phone, _ path: String, _ body: String) async throws -> Reply {
        try await phone.call(
            path, method: "POST", key: nil, body: body, contentType: "application/x-www-form-urlencoded")
    }

    /// Everything that can be set, as it is shown.
    private func state(_ phone: Phone) async throws -> [String] {
        var state: [String] = []
        for path in ["/faults", "/account", "/reporting"] { state.append(try await phone.call(path, key: nil).text) }
        return state
    }

    @Test(arguments: [
        ("reporting", "scale", "scale must be from 0.0 to 1.0"),
        ("reporting", "delay", "delay must be from 0 to 600000"),
        ("account", "latency", "latency must be from 0 to 120000"),
        ("account", "balance", "balance must be from 0 to 1000000000"),
        ("faults", "requests", "requests must be from 1 to 1000000"),
    ])
    func numbersOfFormsHaveBounds(_ form: String, _ field: String, _ sentence: String) async throws {
        try await withPhone { phone async throws in
            let url = "http%3A%2F%2F127.0.0.1%3A9%2Fhook"
            #expect(try await submit(phone, "/controls/reporting", "url=\(url)&delay=0&scale=0.01").status == 303)
            let before = try await state(phone)
            let texts = [
                "nan", "NaN", "-nan", "inf", "-inf", "infinity", "-1", "1e300", "-1e300", "1e999", "0x1p1023", "x",
                "1.0.0",
                "9223372036854775807", "9223372036854775808", "-9223372036854775808", "%2B%2B1", "1%20",
            ]
            for text in texts {
                let refused = try await submit(phone, "/controls/\(form)", "preset=500&url=\(url)&\(field)=\(text)")
                #expect(refused.status == 400 && refused.text == "Nothing was changed: \(sentence).\n", "\(text)")
                #expect(refused.contentType == "text/plain; charset=utf-8")
            }
            #expect(try await state(phone) == before)
            // The next message has a report, whose waits are reckoned.
            #expect(try await phone.sendCode().requestID != nil)
            try await Task.sleep(for: .milliseconds(100))
            #expect(try await phone.call("/health/live", key: nil).status == 200)
        }
    }

    @Test(arguments: [
        ("faults", "preset=nothing&requests=1", "preset"), ("faults", "preset=500&endpoint=x", "endpoint"),
        ("account", "ip=on&type=y", "type"), ("reporting", "format=v9", "format"),
    ])
    func choicesOfFormsAreThePages(_ form: String, _ body: String, _ field: String) async throws {
        try await withPhone { phone async throws in
            let before = try await state(phone)
            let refused = try await submit(phone, "/controls/\(form)", body)
            #expect(refused.status == 400)
            #expect(refused.text == "Nothing was changed: \(field) must be one of the page's.\n")
            #expect(try await state(phone) == before)
        }
    }

    @Test(arguments: [
        ("/reporting", "time_scale", "1.5"), ("/reporting", "time_scale", "-0.1"),
        ("/reporting", "time_scale", "1e300"),
        ("/reporting", "delay_ms", "-1"), ("/reporting", "delay_ms", "9223372036854775807"),
        ("/account", "balance", "-9223372036854775808"), ("/account", "balance", "-1"),
        ("/account", "verify_limit", "0"), ("/account", "latency_ms", "9223372036854775807"),
        ("/faults", "requests", "0"), ("/faults", "requests", "-5"), ("/faults", "latency_ms", "-1"),
        ("/faults", "status", "99"), ("/faults", "status", "1000"),
    ])
    func numbersOfControlPathsHaveBounds(_ path: String, _ member: String, _ value: String) async throws {
        try await withPhone { phone async throws in
            let before = try await state(phone)
            let refused = try await phone.put(path, "{\"\(member)\":\(value)}")
            #expect(refused.status == 400)
            #expect(refused["error"]?.hasPrefix("\(member) must be from ") == true, "\(refused.text)")
            #expect(try await state(phone) == before)
        }
    }

    @Test(arguments: [
        ("/reporting", "{\"time_scale\":1e999}"), ("/reporting", "{\"delay_ms\":1e300}"),
        ("/reporting", "{\"time_scale\":\"NaN\"}"), ("/reporting", "[]"), ("/reporting", "[{},{}]"),
        ("/reporting", "{\"time_scale\":NaN}"), ("/account", "{\"balance\":1e999}"),
        ("/account", "{\"balance\":1e300}"),
        ("/account", "{\"latency_ms\":1.5}"), ("/account", "[]"), ("/faults", "{\"status\":1e999}"),
        ("/faults", "[{\"latency_ms\":1e300}]"),
    ])
    func valuesOfOtherTypesAreRefused(_ path: String, _ body: String) async throws {
        try await withPhone { phone async throws in
            let before = try await state(phone)
            let refused = try await phone.put(path, body)
            #expect(refused.status == 400 && refused["error"] != nil, "\(refused.text)")
            #expect(try await state(phone) == before)
        }
    }

    @Test func whatNeedsNoBalanceCostsNoneThatIsNotThere() async throws {
        try await withPhone { phone async throws in
            _ = try await phone.sendCode()
            phone.gateway.updateAccount { $0.balance = .min }
            #expect(
                try await phone.call("/api/v5/otp/retry?mobile=\(Phone.mobile)&retrytype=text")["type"] == "success")
            #expect(phone.gateway.account().balance == .min)
        }
    }

    @Test(arguments: ["x", "-1", "1e3", "99999999999999999999"])
    func aLimitIsANumber(_ limit: String) async throws {
        try await withPhone { phone async throws in
            #expect(try await phone.call("/messages?limit=\(limit)", key: nil).status == 400)
        }
    }
}
