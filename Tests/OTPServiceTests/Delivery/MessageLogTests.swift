import Foundation
import Identity
import Logging
import Postgres
import PostgresTestKit
import ServiceTestKit
import Testing
import Tokens

@testable import OTPService

@Suite("Messages for the console", .timeLimit(.minutes(5)))
struct MessageLogTests {
    func token(_ server: OTPServer) async throws -> String {
        let now = Date()
        return try server.signer.sign(
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

    @Test("a cursor tells nobody which challenge it stands at, and serves the list that it came from only")
    func cursors() async throws {
        try await withOTPServer(delivers: false) { server in
            let token = try await token(server)
            var challenges: [ChallengeID] = []
            for _ in 0..<3 { challenges.append(try #require(ChallengeID(try await server.challenge(.fresh())))) }
            let page = try messages(try await server.api.get("/internal/challenges?limit=2", token: token))
            let next = try #require(page.next)
            let bytes = try #require(Base64URL.decode(next.utf8))
            for challenge in challenges {
                let id = withUnsafeBytes(of: challenge.uuid.uuid) { Array($0) }
                #expect(!bytes.contains(id) && !next.contains(challenge.description))
            }
            func status(_ query: String) async throws -> Int {
                try await server.api.get("/internal/challenges?\(query)", token: token).status
            }
            #expect(try await status("cursor=\(next)") == 200)
            let other = next.hasPrefix("A") ? "B" : "A"
            for query in [
                "cursor=\(challenges[1])-0", "cursor=\(other)\(next.dropFirst())", "cursor=\(next)A",
                "phone=%2B919876543210&cursor=\(next)",
            ] { #expect(try await status(query) == 400, "\(query)") }
            // Of a key that is not ours, or of the one before.
            let place = MessageName(challengeID: challenges[1], number: 7)
            let old = TokenKeys(current: Keys.newer, previous: nil)
            let text = try MessageCursors(old).text(place, of: nil)
            #expect(MessageCursors(Keys.tokens).place(text, of: nil) == nil)
            let rotated = MessageCursors(TokenKeys(current: Keys.secret, previous: Keys.newer))
            #expect(rotated.place(text, of: nil) == place)
        }
    }

    @Test("a page is found by its own rows: it does not read those of others, of one phone nor of all")
    func work() async throws {
        try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
            let phone = try #require(PhoneNumber(e164: "+919876543210"))
            // Three old messages of this phone, and then three thousand of others.
            let now = Date()
            for index in 1...3 {
                let moment = now.addingTimeInterval(-7200 - Double(index))
                try await database.execute(DaysTests.insert(DaysTests.id(moment), at: moment, phone: phone.e164))
            }
            try await database.execute(
                """
                CREATE TEMP TABLE made AS SELECT first_id(now() - n * interval '1 second') AS id, n FROM generate_series(1, 3000) n;
                INSERT INTO challenges (id, phone, purpose, key_id, digest, code_length, max_attempts, created_at, expires_at)
                SELECT id, '+9197' || lpad(n::text, 8, '0'), 'sign_in', 'k', '', 6, 5, now(), now() + interval '300 s' FROM made;
                INSERT INTO messages (challenge_id, number, channel, state, tries, due_at, created_at, updated_at)
                SELECT id, 0, 'sms', 'submitted', 1, now(), now(), now() FROM made;
                ANALYZE
                """)
            let log = MessageLog(postgres: database.client)
            func read() async throws -> Int {
                let text = try await database.execute(
                    "SELECT coalesce(sum(seq_tup_read + idx_tup_fetch), 0) FROM pg_stat_user_tables WHERE relname ~ 'messages|challenges'"
                )
                return try #require(Int(text.first.flatMap { $0 } ?? ""))
            }
            try await Self.settled(read, from: 1)
            let before = try await read()
            for _ in 0..<10 {
                #expect(try await log.page(of: phone, before: nil, limit: 50).messages.count == 3)
                #expect(try await log.page(of: nil, before: nil, limit: 50).messages.count == 50)
            }
            try await Self.settled(read, from: before + 1500)
            let rows = try await read() - before
            // Ten pages of 50 and ten of 3, each row found once in three statements; a look at all would be 30,000.
            #expect((1000...6000).contains(rows), "\(rows)")
        }
    }

    /// Waits until the server's counters, which idle connections tell of within ten seconds, have come this far and rest.
    static func settled(_ count: () async throws -> Int, from least: Int) async throws {
        var last = -1
        for _ in 0..<20 {
            let now = try await count()
            if now >= least, now == last { return }
            last = now
            try await Task.sleep(for: .milliseconds(1500))
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
