import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing
import Tokens

@testable import UserService

@Suite("POST /v1/auth/login")
struct SignInRouteTests {
    @Test("makes a user at the first proof of a phone, and finds them at the next")
    func newAndKnown() async throws {
        try await withUserServer { server in
            let first = try await server.login()
            #expect(first.status == 201)
            #expect(first.header("Cache-Control") == "no-store")
            #expect(first.string("token_type") == "Bearer")
            #expect(first.integer("expires_in") == 900)
            #expect([14 * 86_400 - 1, 14 * 86_400].contains(first.integer("refresh_expires_in")))
            #expect(first.user["phone"] as? String == UserServer.phone)
            #expect(first.user["display_name"] is NSNull)
            #expect(Set(first.object.keys).count == 6)

            let second = try await server.login()
            #expect(second.status == 200)
            #expect(second.user["id"] as? String == first.user["id"] as? String)
            #expect(second.accessToken != first.accessToken)
            #expect(second.refreshToken != first.refreshToken)
            #expect(try await server.count("select count(*) from users") == 1)
            #expect(try await server.count("select count(*) from sessions") == 2)
            #expect(try await server.me(first.accessToken).status == 200)
        }
    }

    @Test("gives the same session for the same proof within a minute, and then no more")
    func again() async throws {
        try await withUserServer { server in
            let proof = try await server.proof()
            let first = try await server.login(proof)
            let second = try await server.login(proof)
            #expect(second.status == 201)
            #expect(second.accessToken == first.accessToken)
            #expect(second.refreshToken == first.refreshToken)
            try await server.advance(30)
            #expect(try await server.login(proof).refreshToken == first.refreshToken)
            try await server.advance(31)
            let late = try await server.login(proof)
            #expect(late.status == 409)
            #expect(late.code == "verification-already-used")
            #expect(try await server.count("select count(*) from sessions") == 1)
        }
    }

    @Test("gives nothing for a proof whose session was refreshed or ended")
    func usedUp() async throws {
        try await withUserServer { server in
            let proof = try await server.proof()
            _ = try await server.refresh(try await server.login(proof).refreshToken)
            #expect(try await server.login(proof).status == 409)

            let other = try await server.proof()
            let session = try await server.login(other)
            #expect(try await server.logout(session.accessToken).status == 204)
            #expect(try await server.login(other).status == 409)
        }
    }

    @Test("makes one session of twenty uses of one proof at once")
    func race() async throws {
        try await withUserServer { server in
            for round in 1...5 {
                let proof = try await server.proof("+9198765432\(10 + round)")
                let answers = try await atOnce(20) { _ in try await server.login(proof) }
                #expect(answers.allSatisfy { $0.status == 201 }, "\(answers.map(\.status))")
                #expect(Set(answers.map(\.refreshToken)).count == 1)
                #expect(Set(answers.map(\.accessToken)).count == 1)
                #expect(try await server.count("select count(*) from sessions") == round)
                #expect(try await server.count("select count(*) from users") == round)
            }
        }
    }

    @Test("RACE-05: makes one user of twenty proofs of one phone at once")
    func newUserRace() async throws {
        try await withUserServer { server in
            let answers = try await atOnce(20) { _ in try await server.login(try await server.proof()) }
            #expect(answers.count { $0.status == 201 } == 1)
            #expect(answers.count { $0.status == 200 } == 19)
            #expect(Set(answers.compactMap { $0.user["id"] as? String }).count == 1)
            #expect(try await server.count("select count(*) from users") == 1)
            #expect(try await server.count("select count(*) from sessions") == 20)
        }
    }

    @Test("refuses a suspended user without using up the proof")
    func suspended() async throws {
        try await withUserServer { server in
            _ = try await server.login()
            try await server.database.execute("update users set status = 'suspended'")
            let proof = try await server.proof()
            let answer = try await server.login(proof)
            #expect(answer.status == 403)
            #expect(answer.code == "user-suspended")
            try await server.database.execute("update users set status = 'active'")
            #expect(try await server.login(proof).status == 200)
        }
    }

    @Test("takes the phone of a deleted user as a new one")
    func deleted() async throws {
        try await withUserServer { server in
            let first = try await server.login()
            try await server.database.execute("update users set status = 'deleted', phone = null")
            let second = try await server.login()
            #expect(second.status == 201)
            #expect(second.user["id"] as? String != first.user["id"] as? String)
            #expect(try await server.me(first.accessToken).status == 401)
        }
    }

    @Test("tells how long its tokens last, by the settings")
    func lifetimes() async throws {
        var limits = SessionLimits()
        (limits.accessLifetime, limits.idleLifetime) = (120, 3000)
        try await withUserServer(limits: limits) { server in
            let login = try await server.login()
            for answer in [login, try await server.refresh(login.refreshToken)] {
                let token = try await server.session(of: answer.accessToken)
                let rest = token.expiresAt.timeIntervalSince(token.issuedAt)
                #expect((120...121).contains(rest))
                // The answer counts from its own moment, in whole seconds.
                #expect((60...121).contains(answer.integer("expires_in") ?? 0), "\(answer.text)")
                #expect((2900...3000).contains(answer.integer("refresh_expires_in") ?? 0), "\(answer.text)")
            }
        }
    }

    @Test("takes no other kind of token")
    func otherTokens() async throws {
        try await withUserServer { server in
            let session = try await server.login()
            let service = try server.signer.sign(
                ServiceToken(service: .otp, audience: .user, expiresAt: Date() + 60), now: Date())
            let texts = [
                session.accessToken, session.refreshToken, service, try await server.proof(purpose: .changePhone),
                try await server.proof(purpose: .adminSignIn), try await server.proof(life: -31), "", "x", "a.b.c",
                try await server.proof() + "x", String(repeating: "A", count: 10_000),
            ]
            for text in texts {
                let answer = try await server.login(text)
                #expect(answer.status == 401, "\(answer.text)")
                #expect(answer.code == "invalid-token")
                #expect(answer.header("WWW-Authenticate") == #"Bearer error="invalid_token""#)
            }
            #expect(try await server.count("select count(*) from sessions") == 1)
        }
    }

    static let bodies: [(String, Int)] = [
        ("", 400), ("{", 400), ("[]", 400), ("null", 400), ("{}", 400), (#"{"verification_token":1}"#, 400),
        (#"{"verification_token":null}"#, 400), (#"{"verification_token":"x","role":"owner"}"#, 400),
        (#"{"verification_token":"x","verification_token":"y"}"#, 400), (#"{"verification_token":"\ud800"}"#, 400),
        (#"{"verification_token":"x","device_name":7}"#, 400), (#"{"verification_token":"x","device_name":""}"#, 400),
        (#"{"verification_token":"x","device_name":"a\u0000b"}"#, 400),
        (#"{"verification_token":"x","device_name":"\#(String(repeating: "d", count: 81))"}"#, 400),
        (String(repeating: "[", count: 10_000), 400), (String(repeating: " ", count: 20_000), 413),
    ]

    @Test("refuses what is not its body")
    func malformed() async throws {
        try await withUserServer { server in
            for (body, status) in Self.bodies {
                let answer = try await server.send("POST", "/v1/auth/login", body: body)
                #expect(answer.status == status, "\(body.prefix(60)): \(answer.text)")
                #expect(answer.header("Content-Type")?.hasPrefix("application/problem+json") == true)
                #expect(answer.string("type")?.hasPrefix("/v1/auth/problems/") == true)
            }
            let form = try await server.send(
                "POST", "/v1/auth/login", body: "verification_token=x",
                headers: [("Content-Type", "application/x-www-form-urlencoded")])
            #expect(form.status == 415)
            let get = try await server.send("GET", "/v1/auth/login")
            #expect(get.status == 405)
            #expect(get.header("Allow")?.contains("POST") == true)
            #expect(try await server.count("select count(*) from users") == 0)
        }
    }

    @Test("keeps the name of the device")
    func deviceName() async throws {
        try await withUserServer { server in
            let body = #"{"verification_token":"\#(try await server.proof())","device_name":" Pixel 9 \ud83d\udcf1 "}"#
            #expect(try await server.send("POST", "/v1/auth/login", body: body).status == 201)
            let names = try await server.database.client.read("select device_name from sessions")
            let name: String = try #require(names.first).decode(column: 0)
            #expect(name == "Pixel 9 \u{1F4F1}")
        }
    }
}
