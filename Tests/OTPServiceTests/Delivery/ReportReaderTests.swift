import Foundation
import Identity
import Testing

@testable import OTPService

@Suite("Reading delivery reports")
struct ReportReaderTests {
    let id = ChallengeID()
    var crqid: String { "\(id)-1" }
    let requestID = "3567736c53515771356c4878"

    func read(_ text: String) -> ReportReader.Result? { ReportReader.read(Array(text.utf8)) }

    func named(_ state: ReportedState, _ reason: UndeliveredReason? = nil) -> DeliveryReport {
        DeliveryReport(
            name: MessageName(challengeID: id, number: 1), gatewayID: requestID,
            phone: PhoneNumber(e164: "+919876543210"), state: state, reason: reason)
    }

    @Test("v2: a form whose field is JSON, an array of requests with their reports")
    func v2() throws {
        let json = """
            [{"senderId":"PSTKEY","requestId":"\(requestID)","userId":"1","campaignName":"API","report":[
            {"date":"2026-11-24 12:00:00","number":"919876543210","status":"2","desc":"EXP Abssubs","CRQID":"\(crqid)",
            "failedReason":"ABSENT SUBSCRIBER","amount":"1"}]}]
            """
        let escaped = try #require(json.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        #expect(read("data=" + escaped)?.reports == [named(.failed, .unreachable)])
        #expect(read(json)?.reports == [named(.failed, .unreachable)], "the same as JSON")
        #expect(read("x=1&data=" + escaped)?.reports.count == 1)
    }

    @Test("v2 as it was once: only date, number, status, desc; found by request and number")
    func oldest() {
        let result = read(
            #"[{"requestId":"\#(requestID)","report":[{"date":"x","number":"919876543210","status":"1","desc":"DELIVERED"},{"number":"919876543211","status":1}]}]"#
        )
        #expect(result?.reports.map(\.state) == [.delivered, .delivered])
        #expect(result?.reports.allSatisfy { $0.name == nil && $0.gatewayID == requestID } == true)
    }

    @Test("v3 and the new webhook: a flat object, numbers or strings, names in any case, arrays as text")
    func flat() {
        let bodies = [
            #"{"number":"919876543210","requestId":"\#(requestID)","CRQID":"\#(crqid)","status":"1","desc":"DELIVERED"}"#,
            #"{"number":919876543210,"request_id":"\#(requestID)","crqid":"\#(crqid)","status":1,"new":{"a":[1]}}"#,
            #"{"telNum":"919876543210","requestId":"\#(requestID)","CRQID":"\#(crqid)","status":"Delivered","failureReason":""}"#,
            #"{"telNum":"[\"919876543210\"]","requestId":"\#(requestID)","CRQID":"[\"\#(crqid)\"]","status":"[\"DELIVERED\"]"}"#,
            #"{"requestId":"\#(requestID)","data":[{"telNum":"919876543210","CRQID":"\#(crqid)","status":"delivered"}]}"#,
            #"{"data":"{\"telNum\":\"919876543210\",\"requestId\":\"\#(requestID)\",\"CRQID\":\"\#(crqid)\",\"status\":\"1\"}"}"#,
            "number=919876543210&requestId=\(requestID)&CRQID=\(crqid)&status=1",
        ]
        for body in bodies { #expect(read(body)?.reports == [named(.delivered)], "\(body)") }
    }

    @Test("texts side by side are all read, however many; texts within texts to the third")
    func texts() throws {
        func quoted(_ text: String) throws -> String { String(decoding: try JSONEncoder().encode(text), as: UTF8.self) }
        let one = #"{"number":"919876543210","CRQID":"\#(crqid)","status":"1"}"#
        for entry in [
            #"{"requestId":"\#(requestID)","report":\#(try quoted("[\(one)]"))}"#,
            #"{"requestId":"\#(requestID)","data":\#(try quoted(one))}"#,
        ] {
            let json = "[" + Array(repeating: entry, count: 6).joined(separator: ",") + "]"
            let escaped = try #require(json.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
            for body in [json, "data=" + escaped] {
                #expect(read(body)?.reports == Array(repeating: named(.delivered), count: 6), "\(body)")
            }
        }
        var text = one
        for depth in 1...5 {
            text = #"{"data":\#(try quoted(text))}"#
            #expect((read(text)?.reports.count ?? 0) == (depth <= 3 ? 1 : 0), "\(depth)")
        }
    }

    @Test("v4 names no message: it is of no use, and no error")
    func v4() {
        let result = read(
            #"[{"event":"delivered","data":[{"meta":{},"INMSID":"","description":"DELIVERED","ts":1700000000}]}]"#)
        #expect(result == ReportReader.Result(reports: [], unusable: 1))
    }

    @Test(
        "anything else is no report",
        arguments: ["", "hello", "{", "[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]", "null", "7", "[]", "{}", "data=%"])
    func unreadable(body: String) {
        #expect(read(body)?.reports ?? [] == [])
    }

    @Test("too many reports in one body are not taken")
    func many() {
        let one = #"{"CRQID":"\#(crqid)","status":"1"}"#
        let result = read("[" + Array(repeating: one, count: 1500).joined(separator: ",") + "]")
        #expect(result?.reports.count == 1000 && result?.unusable == 500)
    }

    @Test("statuses and reasons")
    func vocabulary() {
        let expected: [(String, String, ReportedState?, UndeliveredReason?)] = [
            ("1", "DELIVERED", .delivered, nil), ("Delivered", "", .delivered, nil),
            ("2", "EXP Memexcd", .failed, .full), ("2", "CALL BARRED", .failed, .barred),
            ("2", "Services temporarily blocked", .failed, .barred), ("2", "HLR/MSC Timeout", .failed, .unreachable),
            ("16", "", .failed, .rejected), ("25", "DLT template mismatch", .failed, .rejected),
            ("2", "Rejected by Kannel or Provider", .failed, .rejected), ("17", "", .failed, .blocked),
            ("9", "", .failed, .blocked), ("20", "", .failed, .countryBlocked),
            ("Failed", "", .failed, .undelivered), ("2", "INBOX CAPACITY EXCEEDED", .failed, .full),
            ("0", "", .submitted, nil), ("8", "", .submitted, nil), ("26", "?", .submitted, nil),
            ("verified", "", .submitted, nil), ("2", "Same content to the same number within 10 seconds", nil, nil),
        ]
        for (status, description, state, reason) in expected {
            #expect(ReportVocabulary.state(status: status, description: description) == state, "\(status)")
            guard state == .failed else { continue }
            #expect(
                ReportVocabulary.reason(status: status, description: description) == reason, "\(status) \(description)")
        }
    }

    @Test("a name is read as it is written, and nothing else is one")
    func names() {
        #expect(MessageName(crqid) == MessageName(challengeID: id, number: 1))
        #expect(MessageName(crqid)?.description == crqid)
        for text in ["", "\(id)", "\(id)-", "\(id)--1", "\(id)-100", "\(id)-+1x", "test-\(id)", "'; drop"] {
            #expect(MessageName(text) == nil, "\(text)")
        }
    }
}
