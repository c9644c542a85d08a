import Foundation
import Identity
import Logging
import PostgresTestKit
import ServiceTestKit
import Testing

@testable import OTPService

@Suite("An act of an operator is done once per key", .timeLimit(.minutes(5)))
struct OperatorActTests {
    private static func act(_ server: OTPServer, _ path: String, key: String? = nil) async throws -> Answer {
        try await server.api.post(
            "/internal/\(path)", "", token: try await OperatorRouteTests.token(server),
            headers: key.map { [("Idempotency-Key", $0)] } ?? [])
    }

    /// What an answer says of a destination, or of all sending.
    private static func standing(_ answer: Answer) -> String {
        answer.string("state") ?? (answer.text.contains(#""paused":true"#) ? "paused" : "running")
    }

    @Test(
        "repeated after somebody decided otherwise it changes nothing, and the answer says how things stand",
        arguments: [
            ("budget/pause", "budget/resume", "running"), ("budget/resume", "budget/pause", "paused"),
            ("destinations/IN/block", "destinations/IN/allow", "allowed"),
            ("destinations/IN/allow", "destinations/IN/block", "blocked"),
            ("destinations/IN/reset", "destinations/IN/block", "blocked"),
        ])
    func repeated(act: String, later: String, standing: String) async throws {
        try await withOTPServer(delivers: false) { server in
            // Whether it has an effect or not: the key is used up.
            let first = try await Self.act(server, act, key: "first")
            #expect(first.status == 200 && Self.standing(first) != standing)
            #expect(Self.standing(try await Self.act(server, later)) == standing)
            for _ in 0..<2 {
                let again = try await Self.act(server, act, key: "first")
                #expect(again.status == 200 && Self.standing(again) == standing)
            }
            // Another key, or none, is another act.
            #expect(Self.standing(try await Self.act(server, act, key: "second")) == Self.standing(first))
            _ = try await Self.act(server, later)
            #expect(Self.standing(try await Self.act(server, act)) == Self.standing(first))
        }
    }

    @Test("an unlocking that is repeated leaves alone what was locked since, and an unknown phone is unknown again")
    func unlock() async throws {
        try await withOTPServer(delivers: false) { server in
            let phone = PhoneNumber.fresh()
            let path = "phones/\(phone.e164)/unlock"
            for _ in 0..<2 { #expect(try await Self.act(server, path, key: "early").status == 404) }
            _ = try await server.challenge(phone)
            let lock = "UPDATE phones SET failures = 10, locked_until = now() + interval '900 s'"
            try await server.database.execute(lock)
            #expect(try await Self.act(server, path, key: "early").status == 204)
            #expect(try await server.database.execute("SELECT failures FROM phones") == ["10"])
            #expect(try await Self.act(server, path, key: "first").status == 204)
            #expect(try await server.database.execute("SELECT failures FROM phones") == ["0"])
            try await server.database.execute(lock)
            #expect(try await Self.act(server, path, key: "first").status == 204)
            #expect(try await server.database.execute("SELECT failures FROM phones") == ["10"])
            #expect(try await Self.act(server, path).status == 204)
            #expect(try await server.database.execute("SELECT failures FROM phones") == ["0"])
        }
    }

    @Test("a key of another act or target is refused and nothing changes; what is no key is none")
    func reused() async throws {
        try await withOTPServer(delivers: false) { server in
            #expect(try await Self.act(server, "destinations/IN/block", key: "one").status == 200)
            for path in [
                "destinations/IN/allow", "destinations/IN/reset", "destinations/US/block", "budget/pause",
                "phones/+919876543210/unlock",
            ] {
                let answer = try await Self.act(server, path, key: "one")
                #expect(answer.status == 422 && answer.problem == "idempotency-key-reused", "\(path)")
            }
            let stands = try await server.database.execute("SELECT destination || ' ' || override FROM destinations")
            #expect(stands == ["IN blocked"])
            for key in ["", "a b", "ü", String(repeating: "k", count: 65)] {
                let answer = try await Self.act(server, "budget/pause", key: key)
                #expect(answer.status == 400 && answer.problem == "invalid-request", "\(key)")
            }
            #expect(try await server.database.execute("SELECT paused FROM sending_switch") == ["f"])
        }
    }

    @Test("of many at once with one key one acts, and the others find that it has")
    func race() async throws {
        try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
            let key = try #require(ActKey("race"))
            let budget = BudgetStore(postgres: database.client)
            let outcomes = try await RaceTests.parallel(40) { _ in
                try await budget.setPaused(true, by: "test", reason: nil, key: key)
            }
            #expect(outcomes.count { $0 == .new } == 1 && outcomes.count { $0 == .repeated } == 39)
        }
    }

    @Test("keys are forgotten after a week")
    func forgotten() async throws {
        try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
            try await database.execute(
                """
                INSERT INTO operator_acts (key, act, target, done_at) VALUES
                    ('old', 'pause', 'all', now() - interval '169 h'), ('young', 'pause', 'all', now() - interval '167 h')
                """)
            let retention = Retention(postgres: database.client, days: 30, logger: Logger(label: "acts"))
            #expect(try await retention.purge() == 1)
            #expect(try await database.execute("SELECT key FROM operator_acts") == ["young"])
        }
    }
}
