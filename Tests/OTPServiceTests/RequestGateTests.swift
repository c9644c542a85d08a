import Foundation
import HTTPServer
import Identity
import Postgres
import PostgresTestKit
import ServiceTestKit
import Testing

@testable import OTPService

@Suite("Requests of a network", .timeLimit(.minutes(5)))
struct RequestGateTests {
    static let network = ClientAddress(IPAddress(v4: 0xCB00_7107))

    static func limits(_ requests: RateLimit) -> SendLimits {
        var limits = SendLimits.standard
        limits.requests = requests
        return limits
    }

    @Test("what is charged is used for a minute; a busy network gets more at once, a refusal ends")
    func allowance() {
        let limit = RateLimit(320, per: 300)
        var now = ContinuousClock.now
        var allowance = RequestAllowance()
        #expect(allowance.take(limit: limit, now: now) == .ask(spare: 0))
        allowance.granted(0, remaining: 300, now: now)
        #expect(allowance.take(limit: limit, now: now) == .ask(spare: 1))
        allowance.granted(1, remaining: 298, now: now)
        #expect(allowance.take(limit: limit, now: now) == .admitted)
        var spares: [Int] = []
        for _ in 0..<6 {
            guard case .ask(let spare) = allowance.take(limit: limit, now: now) else { break }
            spares.append(spare)
            allowance.granted(0, remaining: 200, now: now)
        }
        #expect(spares == [2, 4, 8, 16, 20, 20])
        allowance.granted(5, remaining: 200, now: now)
        now += .seconds(61)
        // Lost, and not busy any more.
        #expect(allowance.take(limit: limit, now: now) == .ask(spare: 0))
        allowance.refused(wait: 10_000_000, now: now)
        guard case .refused(let wait) = allowance.take(limit: limit, now: now + .milliseconds(200)) else {
            Issue.record("not remembered")
            return
        }
        #expect(wait == 9_800_000)
        #expect(allowance.take(limit: limit, now: now + .milliseconds(260)) == .ask(spare: 0))
    }

    @Test("the database gives what GCRA allows, and never more", arguments: [1, 7, 64])
    func lease(seed: Int) async throws {
        try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
            let limit = RateLimit(20 * seed, per: 300)
            let store = AllowanceStore(postgres: database.client, limits: Self.limits(limit))
            var generator = ModelTests.SplitMix(state: UInt64(seed))
            var arrival = 0
            var now = Date(timeIntervalSince1970: 1_800_000_000)
            for _ in 0..<150 {
                now.addTimeInterval(Double.random(in: 0..<30, using: &generator))
                let needed = Int.random(in: 1...5, using: &generator)
                let spare = Int.random(in: 0...8, using: &generator)
                let moment = Date(timeIntervalSince1970: now.timeIntervalSince1970.rounded())
                let available = limit.grant(.max, arrival: arrival, now: moment.microseconds)
                let granted = min(available, needed + min(spare, available / 16))
                let lease = try await store.lease(Self.network, needed: needed, spare: spare, at: moment)
                #expect(lease.granted == granted && lease.remaining == available - granted)
                if granted > 0 { arrival = max(arrival, moment.microseconds) + granted * limit.step }
                #expect(lease.wait == limit.wait(arrival: arrival, now: moment.microseconds))
            }
        }
    }

    @Test("two instances, 500 requests of one network at once: exactly the limit gets through")
    func exact() async throws {
        try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
            // One more comes back only every hundred seconds.
            let store = AllowanceStore(
                postgres: database.client, limits: Self.limits(RateLimit(300, per: 30_000)))
            let gates = [RequestGate(store: store), RequestGate(store: store)]
            let admissions = try await RaceTests.parallel(500) { index in
                try await gates[index % 2].admit(Self.network)
            }
            var admitted = admissions.count { if case .admitted = $0 { true } else { false } }
            // What one of them holds to spare is used by those that ask it.
            for gate in gates {
                while case .admitted = try await gate.admit(Self.network) { admitted += 1 }
            }
            #expect(admitted == 300)
        }
    }

    @Test("a database that is away refuses, and waiting requests learn of it")
    func away() async throws {
        try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
            let gate = RequestGate(
                store: AllowanceStore(postgres: database.client, limits: Self.limits(RateLimit(300, per: 300))))
            try await database.execute("ALTER TABLE rate_limits RENAME TO gone")
            let failures = try await RaceTests.parallel(20) { _ in
                do {
                    _ = try await gate.admit(Self.network)
                    return false
                } catch { return true }
            }
            #expect(!failures.contains(false))
            try await database.execute("ALTER TABLE gone RENAME TO rate_limits")
            #expect(try await gate.admit(Self.network) != .refused(wait: 0))
        }
    }

    @Test("KEY-10: at the limit: 429, Retry-After and RateLimit agree, for the caller's own network only")
    func headers() async throws {
        try await withOTPServer(
            ["OTP_SENDS_PER_NETWORK": "3/300", "OTP_REQUESTS_PER_NETWORK": "8/300"], delivers: false
        ) { server in
            let from = [("X-Forwarded-For", "203.0.113.9")]
            for left in [2, 1, 0] {
                let answer = try await server.send(.fresh(), headers: from)
                #expect(answer.status == 202)
                #expect(answer.header("ratelimit-policy") == #""sends";q=3;w=300"#)
                #expect(answer.header("ratelimit")?.hasPrefix(#""sends";r=\#(left);t="#) == true)
            }
            func check(_ answer: Answer, _ policy: String, _ problem: String) throws {
                #expect(answer.status == 429 && answer.problem == problem)
                let wait = try #require(Int(answer.header("retry-after") ?? ""))
                let field = try #require(answer.header("ratelimit"))
                let reset = try #require(Int(field.split(separator: "t=").last ?? ""))
                #expect(field.hasPrefix("\"\(policy)\";r=0;t=") && abs(reset - wait) <= 1 && (1...300).contains(wait))
                #expect(answer.header("cache-control") == "no-store")
            }
            try check(try await server.send(.fresh(), headers: from), "sends", "send-limit-reached")
            // Somebody else's phone says nothing about itself.
            let phone = PhoneNumber.fresh()
            _ = try await server.send(phone, headers: [("X-Forwarded-For", "203.0.113.20")])
            let other = try await server.send(phone, headers: [("X-Forwarded-For", "203.0.113.21")])
            #expect(other.problem == "resend-too-soon" && other.header("ratelimit") == nil)
            var last = try await server.api.get("/v1/otp/challenges/\(ChallengeID())", headers: from)
            for _ in 0..<8 where last.status != 429 {
                last = try await server.api.post(
                    "/v1/otp/verify", #"{"challenge_id":"\#(ChallengeID())","code":"123456"}"#, headers: from)
            }
            try check(last, "requests", "request-limit-reached")
            let elsewhere = try await server.api.get("/v1/otp/challenges/\(ChallengeID())")
            #expect(elsewhere.status == 404)
        }
    }

    @Test("KEY-07: sixty addresses of one /64 count as one; another /64 and mapped IPv4 are themselves")
    func networks() async throws {
        try await withOTPServer(["OTP_SENDS_PER_NETWORK": "25/3000"], delivers: false) { server in
            var accepted = 0
            for number in 0..<60 {
                let answer = try await server.send(
                    .fresh(), headers: [("X-Forwarded-For", "2001:db8:7:1:\(String(number, radix: 16))::9")])
                if answer.status == 202 { accepted += 1 }
            }
            #expect(accepted == 25)
            #expect(
                try await server.send(.fresh(), headers: [("X-Forwarded-For", "2001:db8:7:2::9")]).status == 202)
            for address in ["198.51.100.7", "::ffff:198.51.100.7", "::ffff:c633:6407"] {
                #expect(try await server.send(.fresh(), headers: [("X-Forwarded-For", address)]).status == 202)
            }
            let keys = try await server.database.execute(
                "SELECT key FROM rate_limits WHERE key LIKE 'network:%' ORDER BY key")
            #expect(
                keys == [
                    "network:198.51.100.7", "network:2001:db8:7:1::/64", "network:2001:db8:7:2::/64",
                ])
        }
    }

    @Test("KEY-13: no spelling of the path gets around the limit")
    func paths() async throws {
        try await withOTPServer(["OTP_SENDS_PER_NETWORK": "2/300"], delivers: false) { server in
            for _ in 0..<2 { _ = try await server.send(.fresh()) }
            for path in [
                "/v1/otp/send", "/v1/otp/send/", "//v1/otp/send", "/V1/OTP/SEND", "/v1/../v1/otp/send",
                "/v1/otp/%2e/send", "/v1/otp/send;a=b", "/v1/otp/send?x=1",
            ] {
                let answer = try await server.api.post(path, #"{"phone":"\#(PhoneNumber.fresh().e164)"}"#)
                #expect([400, 404, 429].contains(answer.status), "\(path): \(answer.status)")
            }
        }
    }

    @Test("KEY-13: nor a spelling that no client sends: dots in the path, the whole URI, HTTP/1.0")
    func rawPaths() async throws {
        try await withOTPServer(["OTP_SENDS_PER_NETWORK": "3/300"], delivers: false) { server in
            let port = try #require(URLComponents(string: server.api.base)?.port)
            let host = "127.0.0.1:\(port)"
            func send(_ target: String, _ version: String = "HTTP/1.1") async throws -> Int {
                try await RawExchange.send(
                    ["POST \(target) \(version)", "Host: \(host)", "Content-Type: application/json"],
                    body: #"{"phone":"\#(PhoneNumber.fresh().e164)"}"#, port: port
                ).status
            }
            // These two are the call itself, so they count.
            #expect(try await send("/v1/otp/send") == 202)
            #expect(try await send("/v1/otp/send", "HTTP/1.0") == 202)
            let whole = try await send("http://\(host)/v1/otp/send")
            #expect([202, 400, 404].contains(whole))
            if whole != 202 { #expect(try await send("/v1/otp/send") == 202) }
            for target in [
                "/v1/otp/send", "http://\(host)/v1/otp/send", "http://evil.example/v1/otp/send",
                "/v1/../v1/otp/send", "/v1/otp/./send", "/v1/otp/x/../send", "/../v1/otp/send", "//v1/otp/send",
                "/v1/otp/%2e%2e/otp/send", "/v1/otp//send", "/v1/otp/send/.", "/v1/otp/send#x", "/v1/otp/send?x=1",
                "/v1/otp/send;a=b", "/v1\\otp\\send", "*",
            ] {
                for version in ["HTTP/1.1", "HTTP/1.0"] {
                    let status = try await send(target, version)
                    #expect([400, 404, 429].contains(status), "\(target) \(version): \(status)")
                }
            }
            #expect(try await send("/v1/otp/send") == 429)
        }
    }
}
