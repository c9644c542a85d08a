import Foundation
import HTTPServer
import Identity
import ServiceTestKit
import Testing

/// What user-service and otp-service answer, whole: `StubDocumentTests` holds it to their published contracts.
struct StubDocuments {
    let name: ServiceName
    var userStatus = "active"
    var isPaused = false
    var used = 10
    var isPermitted = true
    var lock: String? = #"{"state":"open","failures":0}"#

    /// Ends what it is shown in, as a part of a JSON string.
    static let hostile = #"\"><script>a</script>{{7*7}}"#
    static let userID = "0190a0b0-0000-7000-8000-000000000001"

    func text(_ path: String) -> String {
        switch (name, path) {
        case (.otp, "/internal/challenges"): messages
        case (.otp, "/internal/destinations"):
            """
            {"destinations":[{"prefix":"+9198765","country":"IN","state":"open","permitted":\(isPermitted),"sends":50,"verified":1,"conversion":0.02,
              "since":"2026-11-24T07:30:00.000Z","until":"2026-11-24T08:30:00.000Z","reason":"Spike\(Self.hostile)"}],
             "paused":\(isPaused),"as_of":"2026-11-24T08:00:01.000Z"}
            """
        case (.otp, "/internal/budget"):
            """
            {"day":"2026-11-24","used":\(used),"limit":1000,"paused":\(isPaused)\(isPaused ? ",\"reason\":\"Bill\(Self.hostile)\"" : ""),"since":"2026-11-24T00:00:00.000Z",
             "outbox_depth":12,"outbox_oldest_seconds":13.5,"as_of":"2026-11-24T08:00:01.000Z"}
            """
        case (.otp, "/internal/gateway"): #"{"state":"closed","last_success_at":"2026-11-24T08:00:00.000Z"}"#
        case (.otp, _): Self.messageStatistics
        case (.user, "/internal/statistics"): Self.userStatistics
        case (.user, "/internal/users"):
            """
            {"users":[\(user)],"next_cursor":"abc","total":1,"total_is_exact":true,"as_of":"2026-11-24T08:00:00.000Z"}
            """
        default:
            """
            {\(user.dropFirst().dropLast()),"as_of":"2026-11-24T08:00:00.000Z","sessions":[{"id":"\(Self.userID)",
             "device_name":"Phone\(Self.hostile)","address":"Network\(Self.hostile)","created_at":"2026-11-24T07:00:00.000Z",
             "last_used_at":"2026-11-24T07:00:00.000Z","refreshed_at":"2026-11-24T07:00:00.000Z",
             "expires_at":"2026-12-24T07:00:00.000Z"}]}
            """
        }
    }

    private var user: String {
        """
        {"id":"\(Self.userID)","phone":"+919876543210","display_name":"Asha \\"<script>\\"","status":"\(userStatus)",\
        "locale":null,"email":null,"created_at":"2026-11-01T10:00:00.000Z","last_sign_in_at":null}
        """
    }

    private static let userStatistics = """
        {"users_total":3,"users_active":2,"users_suspended":1,"users_deleted":0,"active_today":1,"active_this_week":2,
         "active_this_month":2,"new_users":[{"day":"2026-11-24","count":1}],"sign_ins":[{"day":"2026-11-24","count":5}],
         "active_users":[{"day":"2026-11-24","count":1}],"as_of":"2026-11-24T08:00:00.000Z"}
        """

    private var messages: String {
        """
        {"messages":[{"challenge_id":"0190a0b0-0000-7000-8000-000000000002","number":0,"phone":"+919876543210",
          "country":"IN","purpose":"sign_in","channel":"sms","state":"delivered","status":"verified","tries":1,
          "attempts":1,"resends":0,"created_at":"2026-11-24T08:00:00.000Z","submitted_at":"2026-11-24T08:00:00.100Z",
          "delivered_at":"2026-11-24T08:00:02.000Z","verified_at":"2026-11-24T08:00:09.000Z",
          "updated_at":"2026-11-24T08:00:02.000Z","reason":"Cause\(Self.hostile)"}],
         \(lock.map { "\"lock\":\($0)," } ?? "")"as_of":"2026-11-24T08:00:01.000Z"}
        """
    }

    private static func counts(_ sent: Int, _ submitted: Int, _ delivered: Int, _ verified: Int, _ failed: Int)
        -> String
    {
        """
        "sent":\(sent),"submitted":\(submitted),"delivered":\(delivered),"verified":\(verified),"failed":\(failed),\
        "conversion":\(Double(verified) / Double(sent)),"median_seconds_to_verify":9.5
        """
    }

    private static let messageStatistics = """
        {"days":[{"day":"2026-11-23",\(counts(10, 10, 9, 8, 1))},{"day":"2026-11-24",\(counts(10, 9, 9, 7, 0))}],
         "by_hour":[{"hour":"2026-11-24T07:00:00.000Z",\(counts(10, 9, 9, 7, 0))}],
         "by_country":[{"country":"IN",\(counts(20, 19, 18, 15, 1))}],
         "by_channel":[{"channel":"sms",\(counts(20, 19, 18, 15, 1))}],
         "by_prefix":[{"prefix":"+9198765","country":"IN","sent":20,"delivered":18,"verified":15,"failed":1,
           "conversion":0.75}],
         "failures":[{"reason":"barred","count":1}],"conversion":0.75,"median_seconds_to_verify":9.5,
         "outbox_depth":2,"outbox_oldest_seconds":1.5,"as_of":"2026-11-24T08:00:01.000Z"}
        """
}

/// The made-up neighbours of these tests say what the real ones publish.
@Suite("Stub services")
struct StubDocumentTests {
    @Test(
        "each answer is one of the other service's contract",
        arguments: [
            (ServiceName.otp, "/internal/statistics"), (.otp, "/internal/challenges"), (.otp, "/internal/destinations"),
            (.otp, "/internal/budget"), (.otp, "/internal/gateway"), (.user, "/internal/statistics"),
            (.user, "/internal/users"), (.user, "/internal/users/7"),
        ])
    func contract(name: ServiceName, path: String) throws {
        let text = StubDocuments(name: name).text(path)
        let found = try APIContract(ofService: name == .otp ? "otp-service" : "user-service").differences(
            "GET", path, status: 200, type: "application/json", body: Array(text.utf8))
        #expect(found == [])
    }
}
