import Foundation
import Hummingbird
import Logging
import MSG91Simulator
import ServiceLifecycle
import Synchronization
import Testing

/// Delivery reports, in each shape, as a webhook gets them.
@Suite struct ReportTests {
    /// A webhook that answers what it is told and keeps what it gets.
    final class Webhook: Sendable {
        private let state = Mutex<(bodies: [String], refusals: Int)>(([], 0))

        var bodies: [String] { state.withLock { $0.bodies } }

        func refuse(_ count: Int) { state.withLock { $0.refusals = count } }

        func take(_ body: String) -> Bool {
            state.withLock { state in
                state.bodies.append(body)
                state.refusals -= 1
                return state.refusals < 0
            }
        }

        /// Waits for so many bodies, at most three seconds.
        func bodies(_ count: Int) async throws -> [String] {
            for _ in 0..<300 where bodies.count < count { try await Task.sleep(for: .milliseconds(10)) }
            return bodies
        }
    }

    private func withWebhook(_ body: @escaping @Sendable (Phone, Webhook, String) async throws -> Void) async throws {
        let webhook = Webhook()
        let router = Router()
        router.post("/hook") { request, _ in
            let bytes = try await request.body.collect(upTo: 100_000)
            return webhook.take(String(buffer: bytes)) ? HTTPResponse.Status.ok : .badGateway
        }
        let (ports, listening) = AsyncStream<Int>.makeStream()
        let application = Application(
            router: router, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { listening.yield($0.localAddress?.port ?? 0) }, logger: Logger(label: "webhook"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            var iterator = ports.makeAsyncIterator()
            let port = await iterator.next() ?? 0
            try await withPhone { phone async throws in try await body(phone, webhook, "http://127.0.0.1:\(port)/hook")
            }
            group.cancelAll()
        }
    }

    @Test func shapes() async throws {
        try await withWebhook { phone, webhook, url async throws in
            phone.gateway.setReporting(Reporting(url: url, format: .v2))
            let id = try #require(try await phone.sendCode(extra: "&CRQID=m-1").requestID)
            let v2 = try #require(try await webhook.bodies(1).first?.removingPercentEncoding)
            #expect(v2.hasPrefix("data=[{\"senderId\":"))
            #expect(v2.contains("\"requestId\":\"\(id)\"") && v2.contains("\"number\":\"\(Phone.mobile)\""))
            #expect(v2.contains("\"status\":\"1\",\"desc\":\"DELIVERED\"") && v2.contains("\"CRQID\":\"m-1\""))

            phone.gateway.setReporting(Reporting(url: url, format: .v3))
            let failed = try #require(try await phone.sendCode("919876549002").requestID)
            let v3 = try #require(try await webhook.bodies(2).last)
            #expect(v3.hasPrefix("{\"date\":") && v3.contains("\"requestId\":\"\(failed)\""))
            #expect(v3.contains("\"status\":\"2\",\"desc\":\"EXP Abssubs\""))

            phone.gateway.setReporting(Reporting(url: url, format: .v4))
            _ = try await phone.sendCode("911111111111")
            let v4 = try #require(try await webhook.bodies(3).last)
            #expect(v4.hasPrefix("[{\"event\":\"delivered\",\"data\":["))

            phone.gateway.setReporting(Reporting(url: url, format: .json))
            _ = try await phone.sendCode("912222222222")
            let new = try #require(try await webhook.bodies(4).last)
            #expect(new.contains("\"telNum\":\"912222222222\"") && new.contains("\"status\":\"Delivered\""))
        }
    }

    @Test("the new shape is the customer's own JSON: every field has its place, a text of ours cannot leave its string")
    func ownTemplate() async throws {
        try await withWebhook { phone, webhook, url async throws in
            let fields = [
                "CRQID", "requestedAt", "requestId", "telNum", "countryName", "status", "senderId", "deliveryTime",
                "credit", "smsLength", "pauseReason", "voiceRetryCount", "otpRetry", "verified", "failureReason",
                "userIp", "flowID", "DLT_TE_ID", "campaignName", "telecomCircle", "circleDescription",
            ]
            var reporting = Reporting(url: url, format: .json)
            let members = fields.map { "\"my-\($0)\": \"{{\($0)}}\"" }.joined(separator: ", ")
            reporting.template = "{\"kind\": \"otp {{ status }}\", \(members), \"n\": {{smsLength}}}"
            phone.gateway.setReporting(reporting)
            let id = try #require(try await phone.sendCode("919876549002", extra: "&CRQID=%22m%5C1").requestID)
            let body = try #require(try await webhook.bodies(1).first)
            let report = try #require(
                JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any], "no JSON: \(body)")
            #expect(report.count == fields.count + 2)
            #expect(report["kind"] as? String == "otp Failed" && report["my-requestId"] as? String == id)
            #expect(report["my-CRQID"] as? String == "\"m\\1" && report["my-telNum"] as? String == "919876549002")
            #expect(report["my-failureReason"] as? String == "EXP Abssubs" && report["my-userIp"] as? String == "")
            #expect(report["my-verified"] as? String == "0" && (report["n"] as? Int ?? 0) > 0)
        }
    }

    @Test(
        "a template that is no object, or names a field that there is not, is refused",
        arguments: [#"{"a":"{{state}}"}"#, #"["{{status}}"]"#, #"{"a":"{{status"}"#, #"{"a":{{status}}"#, "", "status"])
    func badTemplate(_ text: String) async throws {
        try await withPhone { phone async throws in
            let body = try JSONSerialization.data(withJSONObject: ["format": "json", "template": text])
            let answer = try await phone.put("/reporting", String(decoding: body, as: UTF8.self))
            #expect(answer.status == 400 && answer.text.contains("template must be a JSON object"))
            #expect(phone.gateway.reporting().template == nil)
        }
    }

    @Test func unreliableReports() async throws {
        try await withWebhook { phone, webhook, url async throws in
            var reporting = Reporting(url: url)
            reporting.timeScale = 0.0001
            phone.gateway.setReporting(reporting)
            webhook.refuse(2)
            _ = try await phone.sendCode("911111111111")
            #expect(try await webhook.bodies(3).count == 3, "refused twice, then taken")
            reporting.duplicate = true
            phone.gateway.setReporting(reporting)
            _ = try await phone.sendCode("912222222222")
            #expect(try await webhook.bodies(5).suffix(2).allSatisfy { $0.contains("912222222222") })
            _ = try await phone.sendCode("919876549999")
            reporting.duplicate = false
            reporting.reorder = true
            phone.gateway.setReporting(reporting)
            _ = try await phone.sendCode("913333333333")
            _ = try await phone.sendCode("914444444444")
            let bodies = try await webhook.bodies(7)
            #expect(bodies.count == 7)
            #expect(!bodies.contains { $0.contains("919876549999") })
        }
    }

    @Test(arguments: [Reporting.Format.v2, .v3, .v4, .json])
    func sentComesBeforeOrAfterDelivered(_ format: Reporting.Format) async throws {
        try await withWebhook { phone, webhook, url async throws in
            func isSent(_ body: String) -> Bool { body.lowercased().contains("sent") }
            var reporting = Reporting(url: url, format: format)
            reporting.interim = true
            phone.gateway.setReporting(reporting)
            _ = try await phone.sendCode("911111111111")
            #expect(try await webhook.bodies(2).map(isSent) == [true, false])
            reporting.reorder = true
            phone.gateway.setReporting(reporting)
            _ = try await phone.sendCode("912222222222")
            #expect(try await webhook.bodies(4).suffix(2).map(isSent) == [false, true])
        }
    }

    @Test func wrongAndMissingReferences() async throws {
        try await withWebhook { phone, webhook, url async throws in
            var reporting = Reporting(url: url)
            reporting.wrongRequestID = true
            reporting.missingCRQID = true
            phone.gateway.setReporting(reporting)
            let id = try #require(try await phone.sendCode(extra: "&CRQID=m-1").requestID)
            let body = try #require(try await webhook.bodies(1).first)
            #expect(!body.contains(id) && !body.contains("m-1") && body.contains(Phone.mobile))
            reporting.drop = true
            phone.gateway.setReporting(reporting)
            _ = try await phone.sendCode("911111111111")
            reporting.drop = false
            reporting.delay = 300
            phone.gateway.setReporting(reporting)
            let started = ContinuousClock.now
            _ = try await phone.sendCode("912222222222")
            let late = try #require(try await webhook.bodies(2).last)
            #expect(late.contains("912222222222") && started.duration(to: .now) >= .milliseconds(300))
        }
    }

    @Test func failingWebhookIsPaused() async throws {
        try await withWebhook { phone, webhook, url async throws in
            var reporting = Reporting(url: url)
            reporting.timeScale = 0
            phone.gateway.setReporting(reporting)
            webhook.refuse(.max)
            for number in 0..<10 { _ = try await phone.sendCode("91111111111\(number)") }
            #expect(try await webhook.bodies(60).count == 60)
            for _ in 0..<100 where !phone.gateway.reporting().paused { try await Task.sleep(for: .milliseconds(10)) }
            #expect(phone.gateway.reporting().paused && phone.gateway.reporting().url == url)
            webhook.refuse(0)
            _ = try await phone.sendCode("912222222222")
            try await Task.sleep(for: .milliseconds(100))
            #expect(webhook.bodies.count == 60, "a paused webhook gets nothing")
            var resumed = phone.gateway.reporting()
            resumed.paused = false
            phone.gateway.setReporting(resumed)
            _ = try await phone.sendCode("913333333333")
            #expect(try await webhook.bodies(61).count == 61)
        }
    }
}
