import Foundation
import HTTPServer
import Identity
import Logging
import Postgres
import PostgresTestKit
import ServiceTestKit
import Testing
import Tokens

@testable import OTPService

@Suite("Idempotency-Key", .timeLimit(.minutes(5)))
struct IdempotencyTests {
    static func post(
        _ server: OTPServer, _ phone: PhoneNumber, key: String, from address: String = "203.0.113.1",
        members: String = ""
    ) async throws -> Answer {
        try await server.send(phone, members, headers: [("Idempotency-Key", key), ("X-Forwarded-For", address)])
    }

    @Test("OPS-09: the same key and body get the first answer again, whatever has been used up since")
    func replay() async throws {
        try await withOTPServer(["OTP_SENDS_PER_NETWORK": "2/300"], delivers: false) { server in
            let phone = PhoneNumber.fresh()
            let first = try await Self.post(server, phone, key: "a key of mine")
            #expect(first.status == 202)
            let other = try await Self.post(server, .fresh(), key: "another key")
            #expect(other.status == 202)
            for _ in 0..<20 {
                let refused = try await server.send(.fresh(), headers: [("X-Forwarded-For", "203.0.113.1")])
                #expect(refused.status == 429)
            }
            let again = try await Self.post(server, phone, key: "a key of mine")
            #expect(again.status == 202 && again.body == first.body)
            // Another spelling of the same request is the same request.
            let spelt = try await server.api.post(
                "/v1/otp/send", #"{ "channel": "sms", "phone": "0\#(phone.digits.dropFirst(2))" }"#,
                headers: [("Idempotency-Key", "a key of mine"), ("X-Forwarded-For", "203.0.113.1")])
            #expect(spelt.body == first.body)
            #expect(try await server.database.execute("SELECT count(*) FROM messages") == ["2"])
        }
    }

    @Test(
        "OPS-09: nor does it matter that sending was paused or the destination blocked since; a new request is refused",
        arguments: ["budget/pause", "destinations/IN/block"])
    func replayOfWhatIsRefusedNow(act: String) async throws {
        try await withOTPServer(delivers: false) { server in
            let phone = PhoneNumber.fresh()
            let first = try await Self.post(server, phone, key: "a key of mine")
            #expect(first.status == 202)
            let now = Date()
            let token = try server.signer.sign(
                ServiceToken(service: .admin, audience: .otp, expiresAt: now.addingTimeInterval(60)), now: now)
            #expect(try await server.api.post("/internal/\(act)", "", token: token).status == 200)
            let refused = try await Self.post(server, .fresh(), key: "a new one")
            #expect(refused.status == 429)
            let again = try await Self.post(server, phone, key: "a key of mine")
            #expect(again.status == 202 && again.body == first.body)
            let voice = try await Self.post(server, phone, key: "a key of mine", members: #","channel":"voice""#)
            #expect(voice.problem == "idempotency-key-reused")
            #expect(try await server.database.execute("SELECT count(*) FROM messages") == ["1"])
        }
    }

    @Test("OPS-09: a key with another body is refused, and nobody gets the answer of another client")
    func scope() async throws {
        try await withOTPServer(delivers: false) { server in
            let phone = PhoneNumber.fresh()
            let first = try await Self.post(server, phone, key: "k")
            let reused = try await Self.post(server, .fresh(), key: "k")
            #expect(reused.status == 422 && reused.problem == "idempotency-key-reused")
            let voice = try await Self.post(server, phone, key: "k", members: #","channel":"voice""#)
            #expect(voice.problem == "idempotency-key-reused")
            let elsewhere = try await Self.post(server, phone, key: "k", from: "203.0.113.2")
            #expect(elsewhere.problem == "resend-too-soon")
            let independent = try await Self.post(server, .fresh(), key: "k", from: "203.0.113.2")
            #expect(
                independent.status == 202
                    && independent.string("challenge_id") != first.string("challenge_id"))
            // Of one /64, which is one client.
            let v6 = PhoneNumber.fresh()
            let one = try await Self.post(server, v6, key: "k", from: "2001:db8:1:2::1")
            let two = try await Self.post(server, v6, key: "k", from: "2001:db8:1:2:ffff::2")
            #expect(one.status == 202 && one.body == two.body)
        }
    }

    @Test(
        "OPS-09: a key is 1 to 255 printable ASCII characters",
        arguments: [String(repeating: "k", count: 256), "schlüssel", "a\tb", ""])
    func malformed(key: String) async throws {
        try await withOTPServer(delivers: false) { server in
            let answer = try await Self.post(server, .fresh(), key: key)
            #expect(answer.status == 400 && answer.problem == "invalid-request")
            let hostile = try await Self.post(server, .fresh(), key: "'; DROP TABLE challenges; --")
            #expect(hostile.status == 202)
            #expect(try await server.database.execute("SELECT count(*) FROM challenges") == ["1"])
        }
    }

    @Test("OPS-09: after a day a key begins anew, and old keys are purged")
    func expiry() async throws {
        try await withOTPServer(delivers: false) { server in
            let phone = PhoneNumber.fresh()
            let first = try await Self.post(server, phone, key: "k")
            try await server.database.execute(
                "UPDATE idempotency_keys SET decided_at = now() - interval '25 h'; UPDATE phones SET resend_at = now()")
            let second = try await Self.post(server, phone, key: "k")
            #expect(second.status == 202 && second.string("challenge_id") != first.string("challenge_id"))
            #expect(try await Self.post(server, phone, key: "k").body == second.body)
            try await server.database.execute("UPDATE idempotency_keys SET decided_at = now() - interval '25 h'")
            _ = try await Self.post(server, .fresh(), key: "young")
            let retention = Retention(postgres: server.database.client, days: 30, logger: .init(label: "test"))
            _ = try await retention.purge()
            #expect(try await server.database.execute("SELECT count(*) FROM idempotency_keys") == ["1"])
        }
    }

    @Test("a refusal is not kept: the same key may be used again")
    func refusal() async throws {
        try await withOTPServer(delivers: false) { server in
            let phone = PhoneNumber.fresh()
            _ = try await server.send(phone)
            #expect(try await Self.post(server, phone, key: "k").problem == "resend-too-soon")
            try await server.database.execute("UPDATE phones SET resend_at = now()")
            #expect(try await Self.post(server, phone, key: "k").status == 202)
        }
    }

    @Test("RACE-09: 20 at once with one key: one message, the others get its answer or are told to wait")
    func race() async throws {
        try await RaceTests.withStore { store, database in
            for round in 0..<5 {
                let phone = PhoneNumber.fresh()
                let key = RepeatKey(
                    "key \(round)", network: try Self.network, user: nil, phone: phone, purpose: .signIn, channel: .sms)
                let decisions = try await RaceTests.parallel(20) { _ in
                    var order = try RaceTests.order(phone)
                    order.repeatKey = key
                    return try await store.send(order, network: "10.0.0.1")
                }
                let kinds = Dictionary(grouping: decisions, by: ModelTests.name).mapValues(\.count)
                #expect(kinds["accepted"] == 1)
                #expect(kinds["replayed", default: 0] + kinds["inProgress", default: 0] == 19, "\(kinds)")
            }
            #expect(try await database.execute("SELECT count(*) FROM messages") == ["5"])
            #expect(try await database.execute("SELECT count(*) FROM idempotency_keys") == ["5"])
        }
    }

    @Test("RACE-09: while the first is running the others are told so, and none waits")
    func running() async throws {
        try await RaceTests.withStore { store, database in
            let phone = PhoneNumber.fresh()
            let key = RepeatKey(
                "k", network: try Self.network, user: nil, phone: phone, purpose: .signIn, channel: .sms)
            var order = try RaceTests.order(phone)
            order.repeatKey = key
            let repeatable = order
            // Another connection holds what the first request would hold until its commit.
            let lock = key.key.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let during = try await database.client.transaction { transaction in
                _ = try await transaction.query("SELECT pg_advisory_xact_lock(\(Int(truncatingIfNeeded: lock)))")
                return try await store.send(repeatable, network: "10.0.0.1")
            }
            #expect(during == .inProgress)
            let after = try await store.send(repeatable, network: "10.0.0.1")
            #expect(ModelTests.name(after) == "accepted")
            let again = try await store.send(repeatable, network: "10.0.0.1")
            #expect(ModelTests.name(again) == "replayed")
        }
    }

    private static var network: ClientAddress {
        get throws { ClientAddress(try #require(IPAddress("203.0.113.7"))) }
    }
}
