import Foundation
import Testing

@testable import MSG91Simulator

/// `GET /api/v5/report/logs/p/otp` (msg91.md §9.4): the window, the pages, the rows.
@Suite struct LogTests {
    private static let path = "/api/v5/report/logs/p/otp"

    private func day(_ offset: Int) -> String {
        String(Timestamp.rfc3339(Date(timeIntervalSinceNow: Double(offset) * 86_400)).prefix(10))
    }

    private func logs(_ phone: Phone, _ query: String = "") async throws -> Logs {
        // From yesterday on, so that midnight may pass.
        let reply = try await phone.call("\(Self.path)?startDate=\(day(-1))&endDate=\(day(1))\(query)")
        #expect(reply.status == 200 && reply.contentType == "text/html; charset=utf-8", "\(reply.text)")
        return try JSONDecoder().decode(Logs.self, from: Data(reply.text.utf8))
    }

    struct Logs: Decodable {
        struct Metadata: Decodable {
            let total: Int
            let paginationToken: String?
        }

        let data: [[String: String]]
        let metadata: Metadata
    }

    @Test("Flow and WhatsApp have logs of their own")
    func onlyCodes() async throws {
        try await withPhone { phone async throws in
            let flow = #"{"flow_id":"\#(Phone.flow)","mobiles":"913333333333","OTP":"9","realTimeResponse":"1"}"#
            #expect(try await phone.call("/api/v5/flow", method: "POST", body: flow).status == 200)
            _ = try await phone.call(
                "/api/v5/flow", method: "POST", key: "x", body: flow.replacing("\"1\"", with: "\"0\""))
            #expect(phone.gateway.messages().count == 1 && phone.gateway.failedMessages().count == 1)
            let id = try #require(try await phone.sendCode().requestID)
            #expect(try await logs(phone).data.map { $0["requestId"] } == [id])
        }
    }

    @Test func theWindowIsThreeDays() async throws {
        try await withPhone { phone async throws in
            func ask(_ start: String?, _ end: String?) async throws -> Reply {
                let dates = [("startDate", start), ("endDate", end)]
                let query = dates.compactMap { name, day in day.map { "\(name)=\($0)" } }.joined(separator: "&")
                return try await phone.call("\(Self.path)?\(query)")
            }
            for (start, end) in [(0, 0), (-3, 0), (-2, 1), (-1, -1)] {
                #expect(try await ask(day(start), day(end)).status == 200, "\(start) \(end)")
            }
            let refused: [(String?, String?, String)] = [
                (nil, nil, "startDate and endDate are required"), (day(0), nil, "startDate and endDate are required"),
                (nil, day(0), "startDate and endDate are required"), ("", "", "startDate and endDate are required"),
                (day(-3), day(1), "Duration exceeds, allowed limit is 3"),
                (day(-30), day(0), "Duration exceeds, allowed limit is 3"),
                (day(-5), day(-4), "startDate must be within the last 3 days"),
                (day(0), day(-1), "Invalid startDate or endDate"),
                ("2026-02-30", "2026-03-01", "Invalid startDate or endDate"),
                ("nan", "inf", "Invalid startDate or endDate"), ("2026-1-1", day(0), "Invalid startDate or endDate"),
                ("99999-01-01", day(0), "Invalid startDate or endDate"),
            ]
            for (start, end, sentence) in refused {
                let reply = try await ask(start, end)
                #expect(
                    reply.status == 400 && reply["status"] == "fail" && reply["errors"] == sentence, "\(reply.text)")
            }
            #expect(try await phone.call("\(Self.path)?startDate=x", key: "x")["apiError"] == "201", "the key first")
        }
    }

    @Test func theTotalIsOfAllPages() async throws {
        try await withPhone { phone async throws in
            for number in 0..<7 { _ = try await phone.sendCode("91987654321\(number)", otp: "100\(number)") }
            _ = try await phone.sendCode("919876549002")
            var seen: [String] = []
            var token: String?
            repeat {
                let page = try await logs(phone, "&limit=3" + (token.map { "&paginationToken=\($0)" } ?? ""))
                // What comes meanwhile shifts nothing.
                #expect(page.metadata.total == 8 + (token == nil ? 0 : 1))
                if token == nil { _ = try await phone.sendCode("918888888888") }
                seen += page.data.compactMap { $0["telNum"] }
                token = page.metadata.paginationToken
            } while token != nil && seen.count < 20
            #expect(seen == ["919876549002"] + (0..<7).reversed().map { "91987654321\($0)" })
            #expect(try await logs(phone).data.count == 9)
            for query in [
                "&limit=0", "&limit=-1", "&limit=nan", "&limit=1001", "&paginationToken=-1", "&fields=no", "&fields=,",
            ] {
                let reply = try await phone.call("\(Self.path)?startDate=\(day(0))&endDate=\(day(0))\(query)")
                #expect(reply.status == 400 && reply["errors"]?.hasPrefix("Invalid ") == true, "\(query)")
            }
        }
    }

    @Test func rowsTellAllThatIsKnown() async throws {
        try await withPhone { phone async throws in
            let sent = try #require(try await phone.sendCode().requestID)
            let failed = try #require(try await phone.sendCode("919876549002").requestID)
            let refused = try #require(try await phone.sendCode("918888888888", realTime: false, key: "bad").requestID)
            let names: Set = [
                "requestDate", "status", "deliveryDate", "deliveryTime", "telNum", "requestId", "senderId",
                "failureReason", "statusCode", "credit", "templateID",
            ]
            let row = try #require(try await logs(phone, "&requestId=\(sent)").data.first)
            #expect(Set(row.keys) == names)
            #expect(row["status"] == "Delivered" && row["statusCode"] == "1" && row["failureReason"] == "")
            #expect(row["senderId"] == "PSTKEY" && row["credit"] == "1" && row["templateID"] == Phone.template)
            #expect(row["deliveryDate"].map { row["deliveryTime"]?.hasPrefix($0) ?? false } == true)
            #expect(row["deliveryDate"]?.count == 10 && row["telNum"] == Phone.mobile)
            let lost = try #require(try await logs(phone, "&requestId=\(failed)").data.first)
            #expect(lost["status"] == "Failed" && lost["statusCode"] == "2" && lost["failureReason"] == "EXP Abssubs")
            #expect(lost["credit"] == "1" && lost["deliveryDate"] == "" && lost["templateID"] == Phone.template)
            let never = try #require(try await logs(phone, "&requestId=\(refused)").data.first)
            #expect(never["statusCode"] == "201" && never["credit"] == "0")
            let few = try await logs(phone, "&fields=telNum,status&requestId=\(sent)").data
            #expect(few == [["telNum": Phone.mobile, "status": "Delivered"]])
        }
    }

    @Test func otherDaysAreLeftOut() {
        let gateway = Gateway(account: SimulatorConfiguration().account)
        let noon = Date(timeIntervalSince1970: 1_790_000_000)
        func call(_ endpoint: Endpoint, _ query: String, after days: Double) -> String {
            let parameters = Parameters(query: Substring(query), body: [], contentType: "", authKeyHeader: Phone.key)
            return gateway.answer(endpoint, parameters, now: noon.addingTimeInterval(days * 86_400)).body.text
        }
        for days in [0.0, 1, 2] {
            _ = call(
                .send, "template_id=\(Phone.template)&mobile=91987654321\(Int(days))&realTimeResponse=1", after: days)
        }
        func total(_ start: String, _ end: String, after days: Double) -> String? {
            let text = call(.logs, "startDate=\(start)&endDate=\(end)", after: days)
            return text.firstMatch(of: /"total":([0-9]+)/).map { String($0.output.1) }
        }
        // 1790000000 is in 2026-09-21.
        #expect(total("2026-09-21", "2026-09-23", after: 2) == "3")
        #expect(total("2026-09-22", "2026-09-22", after: 2) == "1")
        #expect(total("2026-09-21", "2026-09-22", after: 3) == "2")
        #expect(total("2026-09-21", "2026-09-22", after: 4) == nil, "the first day is too long ago")
    }
}
