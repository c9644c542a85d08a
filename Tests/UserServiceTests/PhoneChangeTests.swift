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
            let text = try server.signer.sign(earlier, now: Date())
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
            #expect(!answer.text.contains(owner.userID) && !answer.text.contains("9876500001"))
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
