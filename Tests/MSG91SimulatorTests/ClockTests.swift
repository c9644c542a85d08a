import Foundation
import Testing

@testable import MSG91Simulator

/// What time changes; it is handed in, nobody waits.
@Suite struct ClockTests {
    private let start = Date(timeIntervalSince1970: 1_752_909_343)

    private func gateway() -> Gateway {
        Gateway(account: SimulatorConfiguration().account)
    }

    private func call(_ gateway: Gateway, _ endpoint: Endpoint, _ query: String, after seconds: Double) -> String {
        let parameters = Parameters(
            query: Substring("realTimeResponse=1&mobile=\(Phone.mobile)&" + query), body: [], contentType: "",
            authKeyHeader: Phone.key)
        return gateway.answer(endpoint, parameters, now: start.addingTimeInterval(seconds)).body.text
    }

    @Test func duplicatesEndAfterTenSeconds() {
        let gateway = gateway()
        let send = "template_id=\(Phone.template)&otp=1234"
        #expect(call(gateway, .send, send, after: 0).contains("request_id"))
        #expect(call(gateway, .send, send, after: 9.9) == duplicateText)
        #expect(call(gateway, .send, send, after: 10).contains("request_id"))
    }

    @Test func codesExpire() {
        let gateway = gateway()
        _ = call(gateway, .send, "template_id=\(Phone.template)&otp=1234&otp_expiry=2", after: 0)
        #expect(call(gateway, .verify, "otp=1111", after: 119) == error("OTP not match"))
        #expect(call(gateway, .verify, "otp=1234", after: 120) == error("OTP expired"))
        #expect(call(gateway, .retry, "retrytype=text", after: 120) == error("OTP expired"))
        _ = call(gateway, .send, "template_id=\(Phone.template)&otp=5678", after: 130)
        #expect(call(gateway, .verify, "otp=5678", after: 130 + 899).contains("OTP verified success"))
    }

    @Test func requestIDOfThePublishedSample() {
        // 2025-07-19 12:45:43 IST is spelled 5gslSQ.
        #expect(RequestID.make(at: start).hasPrefix("3567736c5351"))
        #expect(RequestID.make(at: Date(timeIntervalSince1970: 1_709_231_399)).hasPrefix("34"))
        #expect(RequestID.make(at: start) != RequestID.make(at: start))
    }

    @Test(arguments: [
        ("##OTP##", "1"), ("###OTP##", "#1"), ("####", "####"), ("##a b##", "##a b##"), ("## ##OTP##", "## 1"),
        ("##x##", ""), ("##OTP", "##OTP"), ("", ""),
    ])
    func placeholders(_ text: String, _ filled: String) {
        #expect(Template.fill(text) { $0 == "OTP" ? "1" : nil } == filled)
    }
}
