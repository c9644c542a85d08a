import Foundation
import Identity
import Logging
import PostgresTestKit
import ServiceTestKit
import Testing
import Tokens

@testable import OTPService

@Suite("Messages for the console", .timeLimit(.minutes(5)))
struct MessageLogTests {
    func token(_ server: OTPServer) async throws -> String {
        let now = Date()
        return try await server.signer.sign(
            ServiceToken(service: .admin, audience: .otp, expiresAt: now.addingTimeInterval(60)), now: now)
    }

    func messages(_ answer: Answer) throws -> (list: [[String: Any]], next: String?) {
        let object = try #require(JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any])
        return (try #require(object["messages"] as? [[String: Any]]), object["next_cursor"] as? String)
    }

    @Test("pages go through all messages once, newest first, over the days; phones are masked")
    func pages() async throws {
        try await withOTPServer(delivers: false) { server in
            let now = Date()
            for index in 0..<25 {
                try await server.database.execute(
                    DaysTests.insert(
                        DaysTests.id(now.addingTimeInterval(Double(-index) * 8 * 3600)), at: now,
                        phone: "+9198765432\(10 + index % 2)"))
            }
            let retention = Retention(postgres: server.database.client, days: 30, logger: .init(label: "test"))
            _ = try await retention.maintainDays(at: now.addingTimeInterval(3 * DaysTests.day))
            try await server.database.execute(DaysTests.insert(DaysTests.id(now.addingTimeInterval(1)), at: now))
            let token = try await token(server)
            var seen: [String] = []
            var path = "/internal/challenges?limit=7"
            while true {
                let (list, next) = try messages(try await server.api.get(path, token: token))
                seen += list.compactMap { $0["challenge_id"] as? String }
                #expect(list.allSatisfy { ($0["phone"] as? String)?.contains("*") == true })
                guard let next else { break }
                path = "/internal/challenges?limit=7&cursor=\(next)"
            }
            #expect(seen.count == 26 && seen == seen.sorted(by: >) && Set(seen).count == 26)
            let one = try messages(
                try await server.api.get("/internal/challenges?phone=%2B919876543211&limit=5", token: token))
            #expect(one.list.count == 5 && one.next != nil)
            #expect(one.list.allSatisfy { $0["phone"] as? String == "+919876543211" })
        }
    }

    @Test("an entry says what became of message and challenge, resends too")
    func entry() async throws {
        try await withOTPServer { server in
            let phone = PhoneNumber.fresh()
            let challenge = try await server.challenge(phone)
            _ = try await server.wait(for: "submitted", of: challenge)
            try await server.database.execute("UPDATE phones SET resend_at = now()")
            #expect(
                try await server.api.post("/v1/otp/resend", #"{"challenge_id":"\#(challenge)","channel":"voice"}"#)
                    .status
                    == 202)
            let code = try await server.codes(phone)[0]
            _ = try await server.verify(challenge, code)
            let token = try await token(server)
            let escaped = "%2B" + phone.digits
            let answer = try await server.api.get("/internal/challenges?phone=\(escaped)", token: token)
            let list = try messages(answer).list
            #expect(list.map { $0["number"] as? Int } == [1, 0])
            #expect(list[1]["state"] as? String == "submitted" && list[1]["submitted_at"] is String)
            for entry in list {
                #expect(entry["status"] as? String == "verified" && entry["verified_at"] is String)
                #expect(entry["purpose"] as? String == "sign_in" && entry["country"] as? String == "IN")
                #expect(entry["resends"] as? Int == 1)
            }
            #expect(!answer.text.contains("\"\(code)\""))
            #expect(try await server.api.get("/internal/challenges").status == 401)
            for query in ["phone=12", "cursor=x", "limit=0", "limit=201"] {
                #expect(
                    try await server.api.get("/internal/challenges?\(query)", token: token).status == 400, "\(query)")
            }
        }
    }
}
