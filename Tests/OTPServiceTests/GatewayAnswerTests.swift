import HTTPClient
import Testing

@testable import OTPService

@Suite("What MSG91's answers mean")
struct GatewayAnswerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let status: Int
        let body: String
        let expected: GatewayOutcome
        var headers: [(String, String)] = []
        var testDescription: String { "\(status) \(body.prefix(60))" }

        init(_ status: Int, _ body: String, _ expected: GatewayOutcome, headers: [(String, String)] = []) {
            self.status = status
            self.body = body
            self.expected = expected
            self.headers = headers
        }
    }

    static func refused(_ kind: GatewayRefusal.Kind, _ code: String) -> GatewayOutcome {
        .refused(GatewayRefusal(kind, code))
    }

    static let cases = [
        Case(
            200, #"{"type":"success","request_id":"3567736c53515771356c4878"}"#,
            .accepted(id: "3567736c53515771356c4878")),
        Case(
            200, #"{"message":"3567736c53515771356c4878","type":"SUCCESS"}"#, .accepted(id: "3567736c53515771356c4878")),
        Case(200, #"{"type":"success","request_id":"ab","x":{"y":[1]},"n":1.5,"e":null}"#, .accepted(id: "ab")),
        Case(200, #"{"type":"success"}"#, .unknown(reason: "success without an id")),
        Case(200, #"{"type":"error","message":"Invalid authkey","code":"201"}"#, refused(.configuration, "201")),
        Case(200, #"{"type":"error","message":"AuthenticationFailure","code":207}"#, refused(.configuration, "207")),
        Case(200, #"{"type":"error","message":"Auth Key missing"}"#, refused(.configuration, "missing-key")),
        Case(
            200, #"{"type":"error","message":"The provided flow ID or template ID is invalid."}"#,
            refused(.configuration, "template")),
        Case(
            200, #"{"type":"error","message":"Template ID Missing or Invalid Template","code":"400"}"#,
            refused(.configuration, "400")),
        Case(200, #"{"type":"error","message":"IP not whitelisted","code":"418"}"#, refused(.configuration, "418")),
        Case(
            200, #"{"type":"error","message":"IP is not whitelisted"}"#, refused(.configuration, "ip-not-whitelisted")),
        Case(200, #"{"type":"error","msg":"418"}"#, refused(.configuration, "418")),
        Case(
            200, #"{"type":"error","message":"Please enter atleast one number to send sms."}"#,
            refused(.request, "mobile-missing")),
        Case(200, #"{"type":"error","message":"Insufficient balance","code":"301"}"#, refused(.balance, "301")),
        Case(200, #"{"type":"error","message":"limit","code":"506"}"#, refused(.quota, "506")),
        Case(200, #"{"type":"error","message":"invalid number","code":"202"}"#, refused(.recipient, "202")),
        Case(200, #"{"type":"error","message":"duplicate","code":"311"}"#, .duplicate),
        Case(
            200, #"{"type":"error","message":"internal","code":"601"}"#, .transient(reason: "gateway 601", after: nil)),
        Case(200, #"{"type":"error","message":"db","code":"001"}"#, .transient(reason: "gateway 1", after: nil)),
        Case(200, #"{"type":"error","message":"never heard of","code":"777"}"#, refused(.unrecognised, "777")),
        Case(200, #"{"type":"error","message":"482913 is your code"}"#, refused(.unrecognised, "text")),
        Case(
            401, #"{"status":"fail","hasError":true,"errors":"Unauthorized","code":"401","apiError":"201"}"#,
            refused(.configuration, "201")),
        Case(
            401, #"{"status":"fail","hasError":true,"errors":"Unauthorized","code":"401","apiError":"418"}"#,
            refused(.configuration, "418")),
        Case(404, #"{"type":"error","msg":"Route Missing"}"#, refused(.configuration, "path")),
        Case(401, "", refused(.configuration, "http-401")),
        Case(418, "<html>", refused(.configuration, "http-418")),
        Case(302, "", refused(.configuration, "http-302")),
        Case(422, "<html>", refused(.unrecognised, "http-422")),
        Case(429, "", .transient(reason: "http-429", after: .seconds(7)), headers: [("Retry-After", "7")]),
        Case(429, "", .transient(reason: "http-429", after: nil), headers: [("Retry-After", "soon")]),
        Case(200, "", .unknown(reason: "http-200")),
        Case(200, "<html>", .unknown(reason: "http-200")),
        Case(200, #"{"type":"succ"#, .unknown(reason: "http-200")),
        Case(200, #"["success"]"#, .unknown(reason: "http-200")),
        Case(200, #"{"type":"maybe","request_id":"a"}"#, .unknown(reason: "http-200")),
        Case(500, "<html>", .unknown(reason: "http-500")),
        Case(502, #"{"type":"success","request_id":"a"}"#, .unknown(reason: "http-502")),
        Case(503, #"{"type":"error","message":"busy"}"#, .unknown(reason: "http-503")),
        Case(500, #"{"type":"error","message":"x","code":601}"#, .transient(reason: "gateway 601", after: nil)),
    ]

    @Test("each answer has its class", arguments: cases)
    func send(item: Case) {
        let response = HTTPClientResponse(status: item.status, headers: item.headers, body: Array(item.body.utf8))
        #expect(MSG91Answer.outcome(response, needsID: true) == item.expected)
    }

    /// Every code of `msg91.md`, section 8, and what is to be done about it.
    static let codes: [(outcome: GatewayOutcome?, kind: GatewayRefusal.Kind?, codes: [Int])] = [
        (nil, .request, [101, 102, 103, 104, 105, 106, 107, 307, 308, 309, 310]),
        (nil, .configuration, [201, 203, 205, 207, 208, 209, 210, 211, 302, 303, 306, 400, 401, 403, 418, 505]),
        (nil, .recipient, [202]), (nil, .balance, [301]), (nil, .quota, [506]), (.duplicate, nil, [311]),
        (.transient(reason: "gateway 601", after: nil), nil, [601]),
        (.transient(reason: "gateway 1", after: nil), nil, [1]),
        (.transient(reason: "gateway 2", after: nil), nil, [2]),
        // Of these nobody knows anything.
        (nil, .unrecognised, [108, 204, 206, 300, 304, 305, 402, 417, 507, 602]),
    ]

    @Test("every code has its class, as a number or as three digits of text")
    func table() {
        for (outcome, kind, codes) in Self.codes {
            for code in codes {
                let digits = String(repeating: "0", count: max(0, 3 - String(code).count)) + String(code)
                let expected = outcome ?? kind.map { Self.refused($0, "\(code)") }
                for written in ["\(code)", "\"\(digits)\""] {
                    let body = #"{"type":"error","message":"?","code":\#(written)}"#
                    let response = HTTPClientResponse(status: 200, headers: [], body: Array(body.utf8))
                    #expect(MSG91Answer.outcome(response, needsID: true) == expected, "\(body)")
                }
            }
        }
    }

    @Test(
        "a retry has no id, and may find nothing to repeat",
        arguments: [
            (#"{"type":"success","message":"retry send successfully"}"#, GatewayOutcome.accepted(id: "")),
            (#"{"type":"error","message":"No OTP request found to retryotp"}"#, .nothingToRepeat),
            (#"{"type":"error","message":"OTP retry count maxed out"}"#, .nothingToRepeat),
            (#"{"type":"error","message":"otp_expired"}"#, .nothingToRepeat),
        ])
    func retry(body: String, expected: GatewayOutcome) {
        let response = HTTPClientResponse(status: 200, headers: [], body: Array(body.utf8))
        #expect(MSG91Answer.outcome(response, needsID: false) == expected)
    }

    @Test(
        "a self-test believes an envelope of MSG91's, and no other server's answer",
        arguments: [
            (200, #"{"type":"error","message":"No OTP request found"}"#, GatewayProbe.passed),
            (200, #"{"type":"error","message":"Something new"}"#, .passed),
            (
                200, #"{"type":"error","message":"Invalid authkey","code":"201"}"#,
                .refused(.init(.configuration, "201"))
            ),
            (403, "<html>", .refused(.init(.configuration, "http-403"))),
            (404, "<html>Not Found</html>", .unanswered(reason: "http-404")),
            (404, #"{"detail":"Not Found"}"#, .unanswered(reason: "http-404")),
            (404, #"{"error":"Not Found"}"#, .unanswered(reason: "http-404")),
            (400, "Bad Request", .unanswered(reason: "http-400")), (405, "", .unanswered(reason: "http-405")),
            (410, "{}", .unanswered(reason: "http-410")),
            (200, "<html>Welcome</html>", .unanswered(reason: "http-200")),
            (502, "", .unanswered(reason: "http-502")),
        ] as [(Int, String, GatewayProbe)])
    func probe(status: Int, body: String, expected: GatewayProbe) {
        let response = HTTPClientResponse(status: status, headers: [], body: Array(body.utf8))
        #expect(MSG91Answer.probe(response) == expected)
    }
}
