import Foundation
import HTTPClient
import MSG91Simulator
import Testing

/// The page as a developer sees it, and its forms, which work without a script.
@Suite struct InboxTests {
    private func submit(_ phone: Phone, _ path: String, _ body: String, site: String = "same-origin") async throws
        -> Int
    {
        let request = HTTPClientRequest(
            method: "POST", url: phone.url + path,
            headers: [("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", site)],
            body: Array(body.utf8))
        return try await phone.client.send(request, timeout: .seconds(5)).status
    }

    @Test("a question without a number in it is answered with nobody's messages, not with everybody's")
    func noNumber() async throws {
        try await withPhone { phone async throws in
            _ = try await phone.sendCode()
            for mobile in ["", "abc", "%2B"] {
                #expect(try await phone.call("/messages?mobile=\(mobile)", key: nil).text == "[]", "\(mobile)")
            }
            #expect(try await phone.call("/messages", key: nil).text.contains(Phone.mobile))
            #expect(try await phone.call("/messages?mobile=%2B\(Phone.mobile)", key: nil).text.contains(Phone.mobile))
        }
    }

    @Test func messagesLookAsOnAPhone() async throws {
        try await withPhone { phone async throws in
            let empty = try await phone.call("/", key: nil).text
            #expect(empty.contains("<div class=\"empty\">") && !empty.contains("class=\"thread\""))
            _ = try await phone.sendCode("911111111111", otp: "482913", extra: "&CRQID=m-1")
            _ = try await phone.sendCode("912222222222", otp: "135790")
            _ = try await phone.call("/api/v5/otp/retry?mobile=911111111111&retrytype=voice")
            let page = try await phone.call("/", key: nil).text
            // One conversation for each number, the newest first, its messages as they came.
            let first = try #require(page.firstRange(of: "aria-label=\"Messages to +911111111111\""))
            let second = try #require(page.firstRange(of: "aria-label=\"Messages to +912222222222\""))
            #expect(first.lowerBound < second.lowerBound)
            let text = try #require(page.firstRange(of: "<li class=\"sms\">"))
            let call = try #require(page.firstRange(of: "<li class=\"voice\">"))
            #expect(text.lowerBound < call.lowerBound)
            #expect(page.contains("<b>482913</b> is your Postkey code."))
            #expect(page.contains("<span class=\"web\">@localhost #<b>482913</b></span>"))
            #expect(
                page.components(separatedBy: "class=\"web\"").count == 3, "a voice does not read the line for browsers")
            #expect(page.contains("ref m-1") && page.contains("<title>Inbox (3) "))
            #expect(page.contains("<div class=\"empty\" hidden>"))
        }
    }

    @Test func everyOfferedFaultIsOne() async throws {
        try await withPhone { phone async throws in
            let page = try await phone.call("/", key: nil).text
            let presets = page.matches(of: /<option value="([a-z0-9-]+)">[^<]+<\/option>/).map { String($0.output.1) }
                .prefix { $0 != "1" }
            #expect(presets.count == 32)
            for preset in presets {
                #expect(
                    try await submit(phone, "/controls/faults", "preset=\(preset)&requests=3&endpoint=&mobile=") == 303)
            }
            #expect(phone.gateway.faults().count == presets.count)
            #expect(!(try await phone.call("/", key: nil).text).contains("<b>Custom</b>"))
            #expect(try await submit(phone, "/controls/faults/end", "") == 303)
            #expect(phone.gateway.faults().isEmpty)
        }
    }

    @Test func faultsAreAimed() async throws {
        try await withPhone { phone async throws in
            _ = try await submit(
                phone, "/controls/faults", "preset=html&requests=&endpoint=send&mobile=%2B91+2222222222")
            #expect(phone.gateway.faults() == [Fault(endpoint: .send, mobile: "912222222222", body: .html)])
            #expect(try await phone.sendCode("911111111111").requestID != nil)
            #expect(try await phone.sendCode("912222222222").text.hasPrefix("<html>"))
            #expect(try await phone.call("/", key: nil).text.contains("<li>1 fault on</li>"))
            #expect(phone.gateway.faults().count == 1)
        }
    }

    @Test func accountAndReportsAreChanged() async throws {
        try await withPhone { phone async throws in
            #expect(
                try await submit(
                    phone, "/controls/account", "dlt=on&numbers=on&balance=0&latency=20&type=text%2Fhtml") == 303)
            let account = phone.gateway.account()
            #expect(!account.ipAllowed && account.balance == 0 && account.latency == 20 && account.faultNumbers)
            #expect(account.contentType == "text/html" && account.authKeys == [Phone.key])
            let page = try await phone.call("/", key: nil).text
            for alert in ["address refused (418)", "no balance (301)", "20 ms latency"] {
                #expect(page.contains("<li>\(alert)</li>"))
            }
            _ = try await submit(phone, "/controls/account", "ip=on&dlt=on&balance=&latency=&type=")
            #expect(phone.gateway.account().balance == nil && phone.gateway.account().latency == 0)
            #expect(phone.gateway.account().contentType == "text/html")
            let form =
                "url=http%3A%2F%2F127.0.0.1%3A9%2Fhook&format=json&delay=250&interim=on&wrong=on&paused=on&scale=0.01"
            _ = try await submit(phone, "/controls/reporting", form)
            let reporting = phone.gateway.reporting()
            #expect(reporting.url == "http://127.0.0.1:9/hook" && reporting.format == .json && reporting.delay == 250)
            #expect(reporting.interim && reporting.wrongRequestID && reporting.paused && !reporting.duplicate)
            #expect(reporting.timeScale == 0.01)
            let shown = try await phone.call("/", key: nil).text
            #expect(shown.contains("<li>webhook paused</li>") && shown.contains("<option value=\"0.01\" selected>"))
        }
    }

    @Test func undeliveredMessagesAreListed() async throws {
        try await withPhone { phone async throws in
            _ = try await phone.sendCode("919876549002")
            let page = try await phone.call("/", key: nil).text
            #expect(page.contains("<b>+919876549002</b>") && page.contains("2 · EXP Abssubs"))
        }
    }

    @Test func otherSitesCannotSubmit() async throws {
        try await withPhone { phone async throws in
            _ = try await phone.sendCode()
            for path in ["faults", "faults/end", "account", "reporting", "clear"] {
                #expect(try await submit(phone, "/controls/\(path)", "preset=hang", site: "cross-site") == 403)
            }
            #expect(phone.gateway.messages().count == 1 && phone.gateway.faults().isEmpty)
            #expect(try await submit(phone, "/controls/clear", "") == 303)
            #expect(phone.gateway.messages().isEmpty)
        }
    }

    @Test func redirectsAndHugeAnswers() async throws {
        try await withPhone { phone async throws in
            phone.gateway.setFaults([Fault(requests: 1, redirect: "http://127.0.0.1:9/"), Fault(body: .huge)])
            let request = HTTPClientRequest(url: "\(phone.url)/api/v5/otp?mobile=1")
            let answer = try await phone.client.send(request, timeout: .seconds(5))
            #expect(answer.status == 302 && answer.header("Location") == "http://127.0.0.1:9/")
            await #expect(throws: HTTPClientError.tooLarge) {
                _ = try await phone.client.send(request, timeout: .seconds(5))
            }
        }
    }

    @Test func legacyBalance() async throws {
        try await withPhone { phone async throws in
            phone.gateway.updateAccount { $0.balance = 7 }
            #expect(try await phone.call("/api/balance.php?type=4").text == "7")
            #expect(try await phone.call("/api/balance.php?type=4", key: "x")["msg"] == "207")
            phone.gateway.updateAccount { $0.ipAllowed = false }
            #expect(try await phone.call("/api/balance.php?type=4")["msg"] == "418")
            #expect(
                try await phone.call("/api/v5/otp/verify?mobile=1&otp=1").text
                    == error("IP is not whitelisted", code: "418"))
            #expect(
                try await phone.call("/api/v5/otp/retry?mobile=1").text == error("IP is not whitelisted", code: "418"))
        }
    }
}
