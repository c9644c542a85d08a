import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing
import Tokens

@testable import UserService

extension UserServer {
    /// Signs in with a choice about the account.
    func login(_ proof: String, account: String, email: String? = nil) async throws -> Answer {
        let member = email.map { #","email":"\#($0)""# } ?? ""
        return try await send(
            "POST", "/v1/auth/login", body: #"{"verification_token":"\#(proof)","account":"\#(account)"\#(member)}"#)
    }

    /// An account with an e-mail address that nobody has used for 181 days.
    func dormant(email: String? = "Asha@example.org") async throws -> Answer {
        let session = try await login()
        _ = try await database.client.write(
            """
            update users set display_name = 'Asha', email = \(email), last_sign_in_at = now() - interval '181 days',
                created_at = now() - interval '300 days'
            """)
        _ = try await database.client.write(
            "update sessions set created_at = now() - interval '32 days', ended_at = now(), end_reason = 'logout'")
        return session
    }
}

@Suite("Phones that may have gone to somebody else", .serialized)
struct RecycledPhoneTests {
    @Test("the phone alone does not open an account that was not used for long")
    func ask() async throws {
        try await withUserServer { server in
            _ = try await server.dormant()
            let proof = try await server.proof()
            for _ in 0..<2 {
                let answer = try await server.login(proof)
                #expect(answer.status == 409)
                #expect(answer.code == "account-confirmation-required")
                #expect(!answer.text.contains("Asha") && !answer.text.contains("example.org"))
            }
            let unchanged = try await server.count(
                "select count(*) from users where last_sign_in_at < now() - interval '180 days' and status = 'active'")
            #expect(unchanged == 1)
            #expect(try await server.count("select count(*) from sessions") == 1)
        }
    }

    @Test("the owner goes on by naming the address")
    func goOn() async throws {
        try await withUserServer { server in
            let before = try await server.dormant()
            let proof = try await server.proof()
            #expect(try await server.login(proof).status == 409)
            let answer = try await server.login(proof, account: "continue", email: "asha@EXAMPLE.org")
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.userID == before.userID)
            #expect(answer.user["display_name"] as? String == "Asha")
            // A lost answer can be asked for again, with the choice or without.
            #expect(
                try await server.login(proof, account: "continue", email: "asha@example.org").refreshToken
                    == answer.refreshToken)
            #expect(try await server.login(proof, account: "new").refreshToken == answer.refreshToken)
            #expect(try await server.login(proof).refreshToken == answer.refreshToken)
            #expect(try await server.login().status == 200)
            #expect(try await server.count("select count(*) from users") == 1)
        }
    }

    @Test("a stranger has five guesses a day, whatever the account is like", arguments: ["asha@example.org", nil])
    func guesses(email: String?) async throws {
        try await withUserServer { server in
            _ = try await server.dormant(email: email)
            let proof = try await server.proof()
            let answers = try await atOnce(12) { index in
                try await server.login(proof, account: "continue", email: "guess\(index)@example.org")
            }
            #expect(answers.allSatisfy { $0.status == 403 && $0.code == "account-confirmation-failed" })
            #expect(try await server.count("select failed_confirmations from users") == 5)
            #expect(try await server.login(proof, account: "continue", email: "asha@example.org").status == 403)
            try await server.database.execute("update users set failed_confirmation_at = now() - interval '25 hours'")
            let next = try await server.login(proof, account: "continue", email: "asha@example.org")
            #expect(next.status == (email == nil ? 403 : 200))
        }
    }

    @Test("whoever begins anew gets nothing of the old account, which is erased")
    func beginAnew() async throws {
        try await withUserServer { server in
            let before = try await server.dormant()
            let proof = try await server.proof()
            let answer = try await server.login(proof, account: "new")
            #expect(answer.status == 201)
            #expect(answer.userID != before.userID)
            #expect(answer.user["display_name"] is NSNull)
            #expect(answer.user["phone"] as? String == UserServer.phone)
            let old = try await server.count(
                """
                select count(*) from users where id = '\(unescaped: before.userID)' and status = 'deleted' and phone is null
                    and display_name is null and email is null
                """)
            #expect(old == 1)
            #expect(try await server.login(proof, account: "new").refreshToken == answer.refreshToken)
            #expect(try await server.refresh(before.refreshToken).status == 401)
        }
    }

    @Test("of many choices at once one counts, and the account in use is left alone")
    func race() async throws {
        try await withUserServer { server in
            _ = try await server.dormant()
            let answers = try await atOnce(12) { index in
                let proof = try await server.proof()
                return index % 2 == 0
                    ? try await server.login(proof, account: "new")
                    : try await server.login(proof, account: "continue", email: "asha@example.org")
            }
            #expect(answers.allSatisfy { $0.status == 200 || $0.status == 201 }, "\(answers.map(\.text))")
            #expect(Set(answers.map(\.userID)).count == 1)
            #expect(answers.count { $0.status == 201 } <= 1)
            #expect(try await server.count("select count(*) from users where status <> 'deleted'") == 1)
        }
    }

    @Test("a choice does nothing to an account that is in use, or suspended")
    func inUse() async throws {
        try await withUserServer { server in
            let session = try await server.login()
            let anew = try await server.login(try await server.proof(), account: "new")
            #expect(anew.status == 200)
            #expect(anew.userID == session.userID)
            #expect(try await server.login(try await server.proof("+447400123456"), account: "new").status == 201)
            try await server.database.execute(
                "update users set status = 'suspended', last_sign_in_at = now() - interval '1 year' where phone = '\(UserServer.phone)'"
            )
            let answer = try await server.login(try await server.proof(), account: "new")
            #expect(answer.code == "user-suspended")
            #expect(try await server.count("select count(*) from users where status = 'deleted'") == 0)
        }
    }

    @Test("an operator may vouch for the holder, for a day")
    func vouched() async throws {
        try await withUserServer { server in
            let before = try await server.dormant(email: nil)
            #expect(try await server.act("reactivate", on: before.userID).status == 200)
            let proof = try await server.proof()
            try await server.database.execute(
                "update users set confirmed_until = confirmed_until - interval '25 hours'")
            #expect(try await server.login(proof).status == 409)
            #expect(try await server.act("reactivate", on: before.userID).status == 200)
            #expect(try await server.login(proof).userID == before.userID)
        }
    }

    @Test("the number of days is a setting, and 0 is never", arguments: [(0, 200), (182, 200), (181, 409), (30, 409)])
    func setting(days: Int, status: Int) async throws {
        var limits = SessionLimits()
        limits.phoneRecycleDays = days
        try await withUserServer(limits: limits) { server in
            _ = try await server.dormant()
            #expect(try await server.login(try await server.proof()).status == status)
        }
    }

    static let bodies = [
        #""account":"both""#, #""account":7"#, #""account":"continue""#, #""account":"continue","email":"x""#,
        #""account":"new","email":"a@example.org""#, #""email":"a@example.org""#,
        #""account":"continue","email":"a\u0000@b""#,
    ]

    @Test("refuses what is no choice", arguments: bodies)
    func malformed(_ members: String) async throws {
        try await withUserServer { server in
            let body = #"{"verification_token":"\#(try await server.proof())",\#(members)}"#
            let answer = try await server.send("POST", "/v1/auth/login", body: body)
            #expect(answer.status == 400)
            #expect(try await server.count("select count(*) from users") == 0)
        }
    }

    @Test("the schema and the rule agree over random answers", arguments: [1 as UInt64, 2])
    func rule(seed: UInt64) async throws {
        try await withUserDatabase { database in
            var random = SplitMix(state: seed)
            let phone = try #require(PhoneNumber(e164: UserServer.phone))
            _ = try await database.client.write(
                "insert into users (id, phone) values (\(UserID().uuid), \(phone.e164))")
            for _ in 0..<60 {
                let now = Date()
                let days = [0, 30, 180].randomElement(using: &random) ?? 0
                var model = RecycledPhone(
                    lastUsedAt: now - Double(Int.random(in: 1...300, using: &random)) * 86_400 - 60)
                model.email = [nil, "asha@example.org"].randomElement(using: &random) ?? nil
                model.failures = Int.random(in: 0...6, using: &random)
                model.failedAt =
                    model.failures == 0 ? nil : now - Double(Int.random(in: 1...30, using: &random)) * 3600 + 60
                model.confirmedUntil = [nil, now - 60, now + 60].randomElement(using: &random) ?? nil
                _ = try await database.client.write(
                    """
                    update users set last_sign_in_at = \(model.lastUsedAt), email = \(model.email), confirmed_until = \(model.confirmedUntil),
                        failed_confirmations = \(Int32(model.failures)), failed_confirmation_at = \(model.failedAt)
                    """)
                let typed =
                    ["asha@example.org", "Asha@Example.org", "stranger@example.org"].randomElement(using: &random) ?? ""
                let store = RecyclingStore(postgres: database.client, days: days)
                let answer = try await store.settle(.goOn(email: typed), of: phone)
                let before = model
                #expect(answer == model.confirm(typed, at: now, days: days), "\(before) \(days) \(typed)")
                let rows = try await database.client.read(
                    """
                    select failed_confirmations, phone_may_be_recycled(last_sign_in_at, created_at, confirmed_until, \(Int32(days)))
                    from users
                    """)
                let (failures, needs) = try #require(rows.first).decode((Int, Bool).self)
                if before.needsConfirmation(at: now, days: days), before.failedAt.map({ $0 > now - 86_400 }) ?? true {
                    #expect(failures == model.failures)
                }
                #expect(needs == model.needsConfirmation(at: now, days: days))
            }
        }
    }
}
