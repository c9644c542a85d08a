import Foundation
import HTTPServer
import Identity
import Logging
import PostgresTestKit
import ServiceTestKit
import Testing
import Tokens

@testable import OTPService

@Suite("What operators decide", .timeLimit(.minutes(5)))
struct OperatorRouteTests {
    static func token(_ server: OTPServer) async throws -> String {
        let now = Date()
        return try server.signer.sign(
            ServiceToken(service: .admin, audience: .otp, expiresAt: now.addingTimeInterval(60)), now: now)
    }

    @Test("block and allow: the same twice, told with their reason, in force on this instance at once")
    func overrides() async throws {
        try await withOTPServer(["OTP_FRAUD_GUARD": "record"], delivers: false) { server in
            let token = try await Self.token(server)
            let phone = try #require(PhoneNumber(e164: "+919876543210"))
            #expect(try await server.api.post("/internal/destinations/IN/block", "{}").status == 401)
            for text in ["XX", "98765", "+0"] {
                let answer = try await server.api.post("/internal/destinations/\(text)/block", "{}", token: token)
                #expect(answer.status == 404)
            }
            let long = String(repeating: "x", count: 501)
            let refused = try await server.api.post(
                "/internal/destinations/IN/block", #"{"reason":"\#(long)"}"#, token: token)
            #expect(refused.status == 400)
            for _ in 0..<2 {
                let answer = try await server.api.post(
                    "/internal/destinations/%2B9198765/block", #"{"reason":"pumping"}"#, token: token)
                #expect(answer.status == 200 && answer.string("state") == "blocked")
                #expect(answer.string("reason") == "pumping" && answer.string("changed_by") == "admin-service")
                #expect(answer.string("prefix") == "+9198765" && answer.string("country") == "IN")
            }
            let blocked = try await server.send(phone)
            #expect(blocked.status == 429 && blocked.problem == "destination-throttled")
            #expect(blocked.header("retry-after") == "3600")
            #expect(try await server.send(.fresh()).status == 202)
            let country = try await server.api.post("/internal/destinations/IN/block", "", token: token)
            #expect(country.status == 200)
            #expect(try await server.send(.fresh()).problem == "destination-throttled")
            _ = try await server.api.post("/internal/destinations/+9198765/allow", "", token: token)
            #expect(try await server.send(phone).status == 202)
            let list = try await server.api.get("/internal/destinations", token: token)
            let object = try #require(JSONSerialization.jsonObject(with: Data(list.body)) as? [String: Any])
            let rows = try #require(object["destinations"] as? [[String: Any]])
            let states = rows.map { "\($0["prefix"] ?? "") \($0["state"] ?? "")" }
            #expect(Set(states) == ["+9198765 allowed", "IN blocked"])
        }
    }

    @Test("an instance that has just started sends nothing that operators have stopped; a block holds for resends too")
    func started() async throws {
        try await withOTPServer(delivers: false) { server in
            let phone = try #require(PhoneNumber(e164: "+919876543210"))
            let challenge = try await server.challenge(phone)
            try await server.database.execute("UPDATE phones SET resend_at = '-infinity'")
            @Sendable func resend(_ server: OTPServer) async throws -> Answer {
                try await server.api.post("/v1/otp/resend", #"{"challenge_id":"\#(challenge)"}"#)
            }
            for (change, problem) in [
                ("UPDATE sending_switch SET paused = true", "sms-budget-exhausted"),
                (
                    """
                    UPDATE sending_switch SET paused = false;
                    INSERT INTO destinations (destination, state, since, override)
                    VALUES ('+9198765', 'closed', now(), 'blocked')
                    """, "destination-throttled"
                ),
                ("UPDATE destinations SET destination = 'IN'", "destination-throttled"),
                (
                    "UPDATE destinations SET state = 'open', until = now() + interval '1 h', override = NULL",
                    "destination-throttled"
                ),
            ] {
                try await server.database.execute(change)
                // Nothing renews what these know: they have what they asked for at first.
                for _ in 0..<2 {
                    let answers = try await server.withAnotherInstance(delivers: false) {
                        (try await resend($0), try await $0.send(phone))
                    }
                    #expect(answers.0.problem == problem && answers.1.problem == problem)
                }
            }
            #expect(try await server.database.execute("SELECT count(*) FROM messages") == ["1"])
            try await server.database.execute("UPDATE destinations SET destination = '+9198765'")
            let free = try #require(PhoneNumber(e164: "+919912345678"))
            let other = try await server.withAnotherInstance(delivers: false) { try await $0.send(free) }
            #expect(other.status == 202)
        }
    }

    @Test("another instance follows within a second or two, and a tripped breaker refuses without SQL")
    func follows() async throws {
        try await withOTPServer { server in
            try await server.database.execute(
                """
                INSERT INTO destinations (destination, state, since, until)
                VALUES ('+91987654', 'open', now(), now() + interval '100 s')
                """)
            let phone = try #require(PhoneNumber(e164: "+919876543210"))
            let end = ContinuousClock.now + .seconds(30)
            var answer = try await server.send(phone)
            while answer.status == 202 || answer.problem == "resend-too-soon", ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(100))
                answer = try await server.send(phone)
            }
            #expect(answer.problem == "destination-throttled")
            // Never more than what the row says; less by what the test took.
            #expect((60...100).contains(Int(answer.header("retry-after") ?? "") ?? 0))
            try await server.database.execute("ALTER FUNCTION order_code RENAME TO order_code_gone")
            #expect(try await server.send(phone).problem == "destination-throttled")
            try await server.database.execute("ALTER FUNCTION order_code_gone RENAME TO order_code")
        }
    }

    @Test("a breaker that only records lets everything through")
    func records() async throws {
        try await withOTPServer(["OTP_FRAUD_GUARD": "record"], delivers: false) { server in
            try await server.database.execute(
                "INSERT INTO destinations (destination, state, since, until) VALUES ('IN', 'open', now(), now() + interval '100 s')"
            )
            await server.assembly.destinationWatch.renew()
            #expect(try await server.send(.fresh()).status == 202)
        }
    }

    @Test("SMS-04: used 999 of 1000: one more message, then none; the switch pauses and resumes")
    func budget() async throws {
        try await withOTPServer(["SMS_DAILY_BUDGET": "1000"], delivers: false) { server in
            let token = try await Self.token(server)
            let challenge = try await server.challenge(.fresh())
            try await server.database.execute("UPDATE sms_budget SET used = 999")
            #expect(try await server.send(.fresh()).status == 202)
            for _ in 0..<2 {
                let answer = try await server.send(.fresh())
                #expect(answer.status == 429 && answer.problem == "sms-budget-exhausted")
                #expect((1...86_400).contains(Int(answer.header("retry-after") ?? "") ?? 0))
            }
            try await server.database.execute("UPDATE phones SET resend_at = now()")
            let again = #"{"challenge_id":"\#(challenge)"}"#
            #expect(try await server.api.post("/v1/otp/resend", again).problem == "sms-budget-exhausted")
            #expect(try await server.database.execute("SELECT sum(used) FROM sms_budget") == ["1000"])

            try await server.database.execute("UPDATE sms_budget SET used = 10")
            #expect(try await server.api.get("/internal/budget").status == 401)
            for _ in 0..<2 {
                let paused = try await server.api.post(
                    "/internal/budget/pause", #"{"reason":"bills"}"#, token: token)
                #expect(paused.status == 200 && paused.string("reason") == "bills")
            }
            let refused = try await server.send(.fresh())
            #expect(refused.problem == "sms-budget-exhausted" && refused.header("retry-after") == "60")
            #expect(try await Self.isPaused(server, token))
            #expect(try await server.api.post("/v1/otp/resend", again).problem == "sms-budget-exhausted")
            _ = try await server.api.post("/internal/budget/resume", "", token: token)
            #expect(try await !Self.isPaused(server, token))
            #expect(try await server.send(.fresh()).status == 202)
            let view = try await server.api.get("/internal/budget", token: token)
            #expect(view.integer("used") == 11 && view.integer("limit") == 1000)
            #expect(view.string("changed_by") == "admin-service")
        }
    }

    @Test("what was blocked or allowed is left to its breaker again, which was judging all the while")
    func reset() async throws {
        try await withOTPServer(delivers: false) { server in
            let token = try await Self.token(server)
            let phone = try #require(PhoneNumber(e164: "+919876543210"))
            func decide(_ decision: String) async throws -> Answer {
                try await server.api.post("/internal/destinations/%2B91987654/\(decision)", "", token: token)
            }
            // Of what nobody decided: nothing changes, and the answer says how it stands.
            #expect(try await decide("reset").string("state") == "closed")
            #expect(try await server.database.execute("SELECT count(*) FROM destinations") == ["0"])
            _ = try await decide("block")
            #expect(try await server.send(phone).problem == "destination-throttled")
            for _ in 0..<2 {
                let answer = try await decide("reset")
                #expect(answer.status == 200 && answer.string("state") == "closed")
                #expect(answer.string("changed_by") == nil && answer.string("reason") == nil)
            }
            #expect(try await server.send(phone).status == 202)
            // The breaker trips while an operator lets everything through, and counts once it is asked again.
            _ = try await decide("allow")
            try await server.database.execute(
                "UPDATE destinations SET state = 'open', until = now() + interval '100 s', since = now()")
            await server.assembly.destinationWatch.renew()
            #expect(try await server.send(phone).problem == "resend-too-soon")
            #expect(try await decide("reset").string("state") == "open")
            #expect(try await server.send(phone).problem == "destination-throttled")
        }
    }

    /// What the list of destinations says; it may be empty.
    private static func isPaused(_ server: OTPServer, _ token: String) async throws -> Bool {
        let list = try await server.api.get("/internal/destinations", token: token)
        let object = try #require(JSONSerialization.jsonObject(with: Data(list.body)) as? [String: Any])
        return try #require(object["paused"] as? Bool)
    }

    @Test("without a budget the day's messages are counted by the statistics, also after one was taken away")
    func noBudget() async throws {
        try await withOTPServer(delivers: false) { server in
            let token = try await Self.token(server)
            try await server.database.execute(
                "INSERT INTO sms_budget VALUES ((now() AT TIME ZONE 'UTC')::date, 0, 77)")
            for _ in 0..<3 { _ = try await server.challenge(.fresh()) }
            let view = try await server.api.get("/internal/budget", token: token)
            #expect(view.integer("used") == 3 && view.integer("limit") == nil)
            #expect(view.integer("outbox_depth") == 3)
        }
    }

    @Test("SMS-04: never above the budget in parallel, and all of it, in one part or sixteen", arguments: [40, 10_001])
    func exactBudget(budget: Int) async throws {
        try await RaceTests.withStore({ $0.dailyBudget = budget }) { store, database in
            if budget > 1000 {
                // All but forty are used, spread unevenly.
                try await database.execute(
                    """
                    INSERT INTO sms_budget (day, part, used)
                    SELECT (now() AT TIME ZONE 'UTC')::date, part, 625 - CASE WHEN part < 4 THEN 10 ELSE 0 END
                        + CASE WHEN part = 0 THEN 1 ELSE 0 END
                    FROM generate_series(0, 15) part
                    """)
            }
            let decisions = try await RaceTests.parallel(100) { index in
                try await store.send(RaceTests.order(.fresh()), network: "10.0.0.\(index)")
            }
            #expect(decisions.count { if case .accepted = $0 { true } else { false } } == 40)
            #expect(decisions.count { if case .refused(.budget) = $0 { true } else { false } } == 60)
            #expect(try await database.execute("SELECT sum(used) FROM sms_budget") == ["\(budget)"])
            #expect(try await database.execute("SELECT count(*) FROM messages") == ["40"])
            // What was refused was charged to nobody.
            #expect(try await database.execute("SELECT count(*) FROM phones") == ["40"])
        }
    }

    @Test("SMS-04: of many sends for one phone at once one is charged to the budget, the others give it back")
    func budgetGivenBack() async throws {
        try await RaceTests.withStore({ $0.dailyBudget = 100 }) { store, database in
            let phone = PhoneNumber.fresh()
            let decisions = try await RaceTests.parallel(40) { index in
                try await store.send(RaceTests.order(phone), network: "10.0.0.\(index)")
            }
            #expect(decisions.count { if case .accepted = $0 { true } else { false } } == 1)
            #expect(try await database.execute("SELECT sum(used) FROM sms_budget") == ["1"])
        }
    }

    @Test("four fifths of the budget are warned of once a day, all of it is an error once a day, and less is neither")
    func budgetLines() async throws {
        try await withOTPServer(["SMS_DAILY_BUDGET": "1000"], delivers: false) { server in
            _ = try await server.challenge(.fresh())
            let warning = "warning the daily budget of messages is nearly used up"
            let error = "error the daily budget of messages is used up: no code is sent before midnight UTC"
            // What is used, one after the other, and the lines so far; back from all is no new warning.
            let steps = [[799, 800, 999, 1000, 999, 1000], [1000, 900]]
            for (uses, lines) in zip(steps, [[(0, 0), (1, 0), (1, 0), (1, 1), (1, 1), (1, 1)], [(0, 1), (0, 1)]]) {
                let log = MemoryLog()
                let watch = BudgetWatch(
                    store: BudgetStore(postgres: server.database.client), limit: 1000,
                    logger: Logger(label: "budget") { _ in log.handler }, pause: .milliseconds(5))
                try await server.database.execute("UPDATE sms_budget SET used = 0")
                let running = Task { try await watch.run() }
                func count(_ line: String) -> Int { log.text.components(separatedBy: line).count - 1 }
                for (used, expected) in zip(uses, lines) {
                    try await server.database.execute("UPDATE sms_budget SET used = \(used)")
                    let end = ContinuousClock.now + .seconds(20)
                    while count(warning) < expected.0 || count(error) < expected.1, ContinuousClock.now < end {
                        try await Task.sleep(for: .milliseconds(10))
                    }
                    // Some more looks.
                    try await Task.sleep(for: .milliseconds(200))
                    #expect(count(warning) == expected.0 && count(error) == expected.1, "\(used): \(log.text)")
                }
                running.cancel()
                try? await running.value
            }
        }
    }

    @Test("test numbers: a fixed code, and no message ever")
    func testNumbers() async throws {
        let numbers = "+919999900001:123456,+12125550100:000000"
        try await withOTPServer(["OTP_TEST_NUMBERS": numbers, "SMS_DAILY_BUDGET": "5"]) { server in
            for (text, code) in [("+91 99999 00001", "123456"), ("+1 212 555 0100", "000000")] {
                let sent = try await server.api.post("/v1/otp/send", #"{"phone":"\#(text)"}"#)
                #expect(sent.status == 202)
                let challenge = try #require(sent.string("challenge_id"))
                try await server.database.execute("UPDATE phones SET resend_at = now()")
                let again = try await server.api.post("/v1/otp/resend", #"{"challenge_id":"\#(challenge)"}"#)
                #expect(again.status == 202)
                let view = try await server.api.get("/v1/otp/challenges/\(challenge)")
                #expect(view.string("delivery", "state") == "delivered")
                #expect(try await server.verify(challenge, "654321").problem == "incorrect-code")
                #expect(try await server.verify(challenge, code).status == 200)
            }
            try await Task.sleep(for: .milliseconds(300))
            for text in ["+919999900001", "+12125550100"] {
                #expect(server.asked(try #require(PhoneNumber(e164: text))).isEmpty)
            }
            #expect(try await server.database.execute("SELECT count(*) FROM sms_budget") == ["0"])
        }
    }

    @Test(
        "bad test numbers and budgets stop the start",
        arguments: [
            "+919999900001", "+919999900001:12345", "919:123456", "+919999900001:123456,+919999900001:123456", "",
        ])
    func badNumbers(text: String) {
        #expect(TestNumbers(text, codeLength: 6) == nil)
        #expect(throws: (any Error).self) { try Keys.settings(["SMS_DAILY_BUDGET": "0"]) }
    }
}
