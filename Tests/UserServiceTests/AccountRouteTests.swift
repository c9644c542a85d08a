import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing
import Tokens

@testable import UserService

extension UserServer {
    static let newPhone = "+919876500001"

    func changePhone(_ token: String, _ proof: String) async throws -> Answer {
        try await send("POST", "/v1/users/me/phone", token: token, body: #"{"verification_token":"\#(proof)"}"#)
    }

    func changeProof(_ phone: String = newPhone, life: Double = 300) async throws -> String {
        try await proof(phone, purpose: .changePhone, life: life)
    }
}

@Suite("POST /v1/users/me/phone", .serialized)
struct PhoneChangeTests {
    @Test("SES-16: a fresh session gets the new phone, and the other sessions end")
    func change() async throws {
        try await withUserServer { server in
            let other = try await server.login()
            let session = try await server.login()
            let proof = try await server.changeProof()
            let answer = try await server.changePhone(session.accessToken, proof)
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.string("phone") == UserServer.newPhone)
            #expect(answer.string("id") == session.userID)
            #expect(try await server.me(session.accessToken).string("phone") == UserServer.newPhone)
            #expect(try await server.refresh(session.refreshToken).status == 200)
            #expect(try await server.me(other.accessToken).status == 401)
            #expect(try await server.refresh(other.refreshToken).status == 401)
            let reasons = try await server.count("select count(*) from sessions where end_reason = 'phone_changed'")
            #expect(reasons == 1)

            let again = try await server.login(phone: UserServer.newPhone)
            #expect(again.status == 200)
            #expect(again.userID == session.userID)
            let stranger = try await server.login()
            #expect(stranger.status == 201)
            #expect(stranger.userID != session.userID)
        }
    }

    @Test("SES-16: an old session must sign in anew, also after a refresh")
    func stale() async throws {
        try await withUserServer { server in
            let session = try await server.login()
            try await server.advance(2 * 86_400)
            let refreshed = try await server.refresh(session.refreshToken)
            let proof = try await server.changeProof()
            let answer = try await server.changePhone(refreshed.accessToken, proof)
            #expect(answer.status == 403)
            #expect(answer.code == "fresh-sign-in-required")
            let anew = try await server.login()
            #expect(try await server.changePhone(anew.accessToken, proof).status == 200)

            // A token of the session that was issued eleven minutes ago, as the session itself was.
            let old = try await server.login(phone: "+447400123456")
            let token = try await server.session(of: old.accessToken)
            let earlier = AccessToken(
                userID: token.userID, sessionID: token.sessionID, id: token.id, issuedAt: Date() - 660,
                expiresAt: token.expiresAt)
            let text = try await server.signer.sign(earlier, now: Date())
            #expect(try await server.changePhone(text, try await server.changeProof("+447400123457")).status == 403)
        }
    }

    @Test("a proof is used once, and for a minute gives the same answer")
    func singleUse() async throws {
        try await withUserServer { server in
            let session = try await server.login()
            let proof = try await server.changeProof()
            for _ in 0..<2 { #expect(try await server.changePhone(session.accessToken, proof).status == 200) }
            let answers = try await atOnce(10) { _ in try await server.changePhone(session.accessToken, proof).status }
            #expect(answers.allSatisfy { $0 == 200 })
            #expect(try await server.count("select count(*) from phone_changes") == 1)
            let thief = try await server.login(phone: "+447400123456")
            #expect(try await server.changePhone(thief.accessToken, proof).code == "verification-already-used")
            try await server.database.execute("update phone_changes set changed_at = now() - interval '61 seconds'")
            let late = try await server.changePhone(session.accessToken, proof)
            #expect(late.status == 409)
            #expect(late.code == "verification-already-used")
            try await server.database.execute("update phone_changes set changed_at = now() - interval '25 hours'")
            #expect(try await AccountStore(postgres: server.database.client).forgetPhoneChanges() == 1)
        }
    }

    @Test("a phone of another user is not given away, and nothing more is told")
    func inUse() async throws {
        try await withUserServer { server in
            let owner = try await server.login(phone: UserServer.newPhone)
            let session = try await server.login()
            let second = try await server.login()
            let proof = try await server.changeProof()
            let answer = try await server.changePhone(session.accessToken, proof)
            #expect(answer.status == 409)
            #expect(answer.code == "phone-in-use")
            #expect(!answer.text.contains(owner.userID) && !answer.text.contains("98765"))
            #expect(try await server.me(session.accessToken).string("phone") == UserServer.phone)
            #expect(try await server.me(second.accessToken).status == 200)
            // The proof is not used up: once the owner has left, it is good.
            #expect(try await server.send("DELETE", "/v1/users/me", token: owner.accessToken).status == 204)
            #expect(try await server.changePhone(session.accessToken, proof).status == 200)
        }
    }

    @Test("of two users who want one phone at once, one gets it")
    func race() async throws {
        try await withUserServer { server in
            let sessions = try await atOnce(8) { try await server.login(phone: "+91987654320\($0)") }
            let answers = try await atOnce(8) { index in
                try await server.changePhone(sessions[index].accessToken, try await server.changeProof()).status
            }
            #expect(answers.count { $0 == 200 } == 1)
            #expect(answers.count { $0 == 409 } == 7)
            let proof = try await server.changeProof("+919876500002")
            let second = try await atOnce(8) { try await server.changePhone(sessions[$0].accessToken, proof).status }
            #expect(second.count { $0 == 200 } == 1)
            #expect(second.count { $0 == 409 } == 7)
        }
    }

    @Test("takes only a proof for this")
    func otherTokens() async throws {
        try await withUserServer { server in
            let session = try await server.login()
            let texts = [
                try await server.proof(UserServer.newPhone), try await server.changeProof(life: -31),
                session.accessToken,
                try await server.proof(UserServer.newPhone, purpose: .adminSignIn), "", "x", "a.b.c",
            ]
            for text in texts {
                let answer = try await server.changePhone(session.accessToken, text)
                #expect(answer.status == 422, "\(answer.text)")
                #expect(answer.code == "verification-not-valid")
            }
            for body in ["{}", "[]", #"{"verification_token":7}"#, #"{"verification_token":"x","phone":"+1"}"#] {
                let answer = try await server.send("POST", "/v1/users/me/phone", token: session.accessToken, body: body)
                #expect(answer.status == 400)
            }
            let proof = try await server.changeProof()
            #expect(
                try await server.send("POST", "/v1/users/me/phone", body: #"{"verification_token":"\#(proof)"}"#).status
                    == 401)
            _ = try await server.logout(session.accessToken)
            #expect(try await server.changePhone(session.accessToken, proof).status == 401)
            #expect(try await server.count("select count(*) from phone_changes") == 0)
        }
    }

    @Test("the schema and the rule agree")
    func rule() async throws {
        try await withUserServer { server in
            let database = server.database
            _ = try await server.login(phone: "+447400123456")
            let cases = [false, true]
            for (isStale, isUsed, isExpired) in cases.flatMap({ a in cases.flatMap { b in cases.map { (a, b, $0) } } })
            {
                for (isTaken, isLive) in [(false, true), (true, true), (false, false)] {
                    let phone = "+9198\(Int.random(in: 10_000_000...99_999_999))"
                    let session = try await server.login(phone: phone)
                    let token = try await server.session(of: session.accessToken)
                    let target = isTaken ? "+447400123456" : "+9197\(Int.random(in: 10_000_000...99_999_999))"
                    let proof = VerificationToken(
                        subject: try #require(PhoneNumber(e164: target)), purpose: .changePhone,
                        challengeID: ChallengeID(),
                        expiresAt: Date() + (isExpired ? -60 : 60))
                    if isStale {
                        _ = try await database.client.write(
                            "update sessions set created_at = created_at - interval '11 minutes' where user_id = \(token.userID.uuid)"
                        )
                    }
                    if isUsed {
                        _ = try await database.client.write(
                            "insert into phone_changes (challenge_id, user_id) values (\(proof.challengeID.uuid), \(UserID().uuid))"
                        )
                    }
                    if !isLive { _ = try await server.logout(session.accessToken) }
                    let now = Date()
                    let facts = PhoneChange.Facts(
                        isLive: isLive, sessionBeganAt: isStale ? now - 660 : now - 1, tokenIssuedAt: now - 1,
                        usedAt: isUsed ? now - 1 : nil, proofEndsAt: proof.expiresAt + 30, isTaken: isTaken)
                    let outcome = try await AccountStore(postgres: database.client).changePhone(of: token, to: proof)
                    #expect(outcome == PhoneChange.decide(facts, at: now), "\(facts)")
                }
            }
        }
    }
}

@Suite("Leaving, and taking one's data along", .serialized)
struct AccountRouteTests {
    @Test("who leaves is nobody any more, and may come again as somebody else")
    func leave() async throws {
        try await withUserServer { server in
            let body = #"{"verification_token":"\#(try await server.proof())","device_name":"Asha's phone"}"#
            let session = try await server.send("POST", "/v1/auth/login", body: body)
            let second = try await server.login()
            _ = try await server.send(
                "PATCH", "/v1/users/me", token: session.accessToken,
                body: #"{"display_name":"Asha","locale":"en","email":"asha@example.org"}"#)
            try await server.database.execute("update sessions set address = '203.0.113.9'")
            _ = try await server.logout(second.accessToken)
            let before = try await StatisticsStore(postgres: server.database.client).statistics(days: 1)
            let answer = try await server.send("DELETE", "/v1/users/me", token: session.accessToken)
            #expect(answer.status == 204)
            #expect(answer.text.isEmpty)
            #expect(try await server.me(session.accessToken).status == 401)
            #expect(try await server.refresh(session.refreshToken).status == 401)
            let nothingLeft = try await server.count(
                """
                select (select count(*) from users where phone is null and display_name is null and locale is null
                        and email is null and status = 'deleted' and last_sign_in_at is not null)
                    + (select 10 * count(*) from sessions where device_name is null and address is null and ended_at is not null)
                """)
            #expect(nothingLeft == 21)
            let told = try await server.count(
                "select count(*) from changes where kind in ('user-not-before', 'user-changed')")
            #expect(told >= 2)
            let dump = try await server.database.execute(
                "select (select string_agg(u::text, ' ') from users u) || (select string_agg(s::text, ' ') from sessions s)"
            )
            #expect(!dump.compactMap(\.self).joined().contains("Asha"))

            let after = try await StatisticsStore(postgres: server.database.client).statistics(days: 1)
            #expect(after.total == before.total - 1)
            #expect(after.deleted == 1)
            #expect(after.days[0].newUsers == before.days[0].newUsers)
            let anew = try await server.login()
            #expect(anew.status == 201)
            #expect(anew.userID != session.userID)
            #expect(try await server.send("DELETE", "/v1/users/me", token: session.accessToken).status == 401)
            #expect(try await server.send("DELETE", "/v1/users/me").status == 401)
        }
    }

    @Test("leaving beats a sign-in and a refresh of the same instant", arguments: 1...5)
    func leaveRace(round: Int) async throws {
        try await withUserServer { server in
            let session = try await server.login()
            let other = try await server.login()
            async let left = server.send("DELETE", "/v1/users/me", token: session.accessToken)
            async let refreshed = server.refresh(other.refreshToken)
            async let signedIn = server.login(try await server.proof())
            async let patched = server.send(
                "PATCH", "/v1/users/me", token: other.accessToken, body: #"{"display_name":"Asha"}"#)
            let answers = [try await left, try await refreshed, try await signedIn, try await patched]
            #expect(answers[0].status == 204)
            #expect([200, 201].contains(answers[2].status))
            #expect([200, 401].contains(answers[3].status))
            if answers[1].status == 200 {
                #expect(try await server.me(answers[1].accessToken).status == 401)
            }
            let live = try await server.me(answers[2].accessToken)
            #expect(live.status == (answers[2].userID == session.userID ? 401 : 200))
            let named = try await server.count(
                "select count(*) from users where status = 'deleted' and display_name is not null")
            #expect(named == 0)
        }
    }

    @Test("the export has everything of one's own and nothing else")
    func export() async throws {
        try await withUserServer { server in
            let body = #"{"verification_token":"\#(try await server.proof())","device_name":"Pixel 9"}"#
            let session = try await server.send("POST", "/v1/auth/login", body: body)
            let second = try await server.login()
            _ = try await server.logout(second.accessToken)
            let stranger = try await server.login(phone: "+447400123456")
            _ = try await server.send(
                "PATCH", "/v1/users/me", token: session.accessToken,
                body: #"{"display_name":"Asha","email":"asha@example.org"}"#)
            let answer = try await server.send("GET", "/v1/users/me/export", token: session.accessToken)
            #expect(answer.status == 200)
            #expect(answer.header("Content-Disposition") == #"attachment; filename="account.json""#)
            #expect(answer.header("Content-Type")?.hasPrefix("application/json") == true)
            #expect(answer.header("Cache-Control") == "no-store")
            let user = answer.user
            #expect(user["phone"] as? String == UserServer.phone)
            #expect(user["email"] as? String == "asha@example.org")
            #expect(user["last_active_on"] as? String != nil)
            #expect(answer.sessions.count == 2)
            #expect(answer.integer("sessions_total") == 2)
            #expect(answer.sessions[0]["end_reason"] as? String == "logout")
            #expect(answer.sessions[1]["device_name"] as? String == "Pixel 9")
            #expect(!answer.text.contains(stranger.userID))
            for word in ["hash", "challenge", "token"] { #expect(!answer.text.contains(word)) }

            try await server.database.execute(
                """
                insert into sessions (id, user_id, challenge_id, refresh_hash, access_token_id, access_expires_at, idle_expires_at,
                    absolute_expires_at)
                select gen_random_uuid(), '\(session.userID)', gen_random_uuid(), sha256('x'), gen_random_uuid(), now(), now(), now()
                from generate_series(1, 1200)
                """)
            try await server.database.execute(
                "update sessions set address = case when ended_at is null then inet '2001:db8:1:2::/64' else '203.0.113.9' end"
            )
            let shown = try await server.send(
                "GET", "/internal/users/\(session.userID)", token: try await server.serviceToken())
            #expect(shown.sessions.first?["address"] as? String == "2001:db8:1:2::/64")
            let large = try await server.send("GET", "/v1/users/me/export", token: session.accessToken)
            #expect(large.sessions.count == AccountExport.sessionLimit)
            #expect(large.integer("sessions_total") == 1202)
            #expect(try await server.send("GET", "/v1/users/me/export").status == 401)
            #expect(try await server.send("GET", "/v1/users/me/export", token: second.accessToken).status == 401)
        }
    }

    @Test("RACE-11: two changes of different members at once are both kept")
    func merge() async throws {
        try await withUserServer { server in
            let tokens = [try await server.login().accessToken, try await server.login().accessToken]
            for round in 0..<10 {
                let bodies = [
                    #"{"display_name":"N\#(round)"}"#, #"{"email":"e\#(round)@example.org"}"#,
                    #"{"locale":"a\#("abcdefghij".dropFirst(round).prefix(1))"}"#,
                ]
                let answers = try await atOnce(3) { index in
                    try await server.send("PATCH", "/v1/users/me", token: tokens[index % 2], body: bodies[index]).status
                }
                #expect(answers == [200, 200, 200])
                let me = try await server.me(tokens[0])
                #expect(me.string("display_name") == "N\(round)")
                #expect(me.string("email") == "e\(round)@example.org")
                #expect(me.string("locale") == "a" + "abcdefghij".dropFirst(round).prefix(1))
            }
        }
    }

    static let hostile: [(String, Bool)] = [
        (#"\u0000"#, false), (#"\ud800"#, false), (#"\udc00\ud800"#, false), (#"a\u202eb"#, false),
        (#"a\u2066b"#, false),
        (#"a\uffffb"#, false), (#"a\u2028b"#, false), (#"a\u0085b"#, false), (#"\ud83d\udc69\u200d\ud83d\udcbb"#, true),
        (#"e\u0301"#, true), (#"\u0928\u092e\u0938\u094d\u0924\u0947"#, true), (#"\u200b"#, false), (#"\\u0000"#, true),
        ("\u{0301}" + String(repeating: "\u{0301}", count: 5000), false), ("\u{FEFF}", false),
    ]

    @Test("ADM-09: hostile text is refused or comes back as it was")
    func hostileText() async throws {
        try await withUserServer { server in
            let token = try await server.login().accessToken
            for (text, isAllowed) in Self.hostile {
                let answer = try await server.send(
                    "PATCH", "/v1/users/me", token: token, body: #"{"display_name":"\#(text)"}"#)
                #expect(answer.status == (isAllowed ? 200 : 400), "\(text.prefix(40)): \(answer.text.prefix(200))")
                if isAllowed {
                    let sent = try JSONSerialization.jsonObject(with: Data(#"["\#(text)"]"#.utf8)) as? [String]
                    let stored = try await server.me(token).string("display_name")
                    #expect(stored.map { Array($0.unicodeScalars) } == sent?.first.map { Array($0.unicodeScalars) })
                }
            }
            let tooLarge = #"{"display_name":"\#(String(repeating: "\u{0301}", count: 100_000))"}"#
            #expect(try await server.send("PATCH", "/v1/users/me", token: token, body: tooLarge).status == 413)
        }
    }

    @Test("ADM-09: what the rules let through, the schema's checks do too, for every character")
    func everyScalar() async throws {
        try await withUserDatabase { database in
            let scalars = ((1...0xD7FF).map { $0 } + (0xE000...0x2_FFFF).map { $0 }).compactMap {
                Unicode.Scalar($0 as Int)
            }
            let names = scalars.compactMap { ProfileField.displayName.stored("a\($0)b") }
            let emails = scalars.compactMap { ProfileField.email.stored("a\($0)b@example.org") }
            #expect(names.count > 100_000 && emails.count > 100_000)
            let rows = try await database.client.read(
                """
                select (select count(*) from unnest(\(names)) n where n ~ '[\\x01-\\x1f\\x7f-\\x9f]' or char_length(n) > 80),
                    (select count(*) from unnest(\(emails)) e where e !~ '^[^@[:space:]]+@[^@[:space:]]+$')
                """)
            let (badNames, badEmails) = try #require(rows.first).decode((Int, Int).self)
            #expect(badNames == 0)
            #expect(badEmails == 0)
        }
    }
}
