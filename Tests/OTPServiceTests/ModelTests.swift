import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing

@testable import OTPService

/// Drives the SQL and its pure twins with the same random events, and compares every outcome and, at the end, every row.
@Suite("The database decides as the rule says", .timeLimit(.minutes(5)))
struct ModelTests {
    /// The rule's whole world: two phones of one prefix, asked for by two networks.
    struct World {
        var lines: [PhoneNumber: PhoneLine] = [:]
        var challenges: [ChallengeID: (phone: PhoneNumber, rule: Challenge)] = [:]
        var networks: [String: Int] = [:]
        var prefixes: [String: Int] = [:]
        let limits: SendLimits
        let locks: LockPolicy

        mutating func send(_ order: ChallengeOrder, _ network: String, at now: Date) -> SendDecision {
            var line = lines[order.phone, default: PhoneLine()]
            let prefixOver =
                limits.fraudGuard == .record
                && limits.prefix.wait(arrival: prefixes[order.phone.prefix, default: 0], now: now.microseconds) > 0
            let refusal = line.charge(
                order.id, purpose: order.purpose, cooldown: limits.cooldown(after: 0), limits: limits,
                network: &networks[network, default: 0], prefix: &prefixes[order.phone.prefix, default: 0], at: now)
            if let refusal { return .refused(refusal) }
            lines[order.phone] = line
            let expiry = now.addingTimeInterval(TimeInterval(order.lifetime))
            challenges[order.id] = (
                order.phone,
                Challenge(id: order.id, purpose: order.purpose, maxAttempts: order.maxAttempts, expiresAt: expiry)
            )
            return .accepted(at: now, prefixOver: prefixOver)
        }

        mutating func resend(_ id: ChallengeID, _ network: String, at now: Date) -> ResendDecision {
            guard let phone = challenges[id]?.phone, var rule = challenges[id]?.rule, var line = lines[phone],
                rule.status(named: line.named[rule.purpose] == id, at: now) == .active
            else { return .notActive }
            guard rule.resends < limits.cooldowns.count else { return .resendsExhausted }
            let refusal = line.charge(
                id, purpose: rule.purpose, cooldown: limits.cooldown(after: rule.resends + 1), limits: limits,
                network: &networks[network, default: 0], prefix: &prefixes[phone.prefix, default: 0], at: now)
            if let refusal { return .refused(refusal) }
            rule.resends += 1
            lines[phone] = line
            challenges[id] = (phone, rule)
            return .accepted(
                ResentChallenge(
                    phone: phone.e164, decidedAt: now, expiresAt: rule.expiresAt, resends: rule.resends,
                    attemptsLeft: rule.maxAttempts - rule.attempts, codeLength: 6))
        }

        mutating func answer(_ id: ChallengeID, correct: Bool, at now: Date) -> AnswerDecision {
            guard let phone = challenges[id]?.phone, var rule = challenges[id]?.rule, var line = lines[phone]
            else { return .notActive }
            let verdict = rule.answer(correct: correct, line: &line, policy: locks, at: now)
            challenges[id] = (phone, rule)
            lines[phone] = line
            switch verdict {
            case .verified: return .verified(phone: phone, purpose: rule.purpose)
            case .incorrect(let left): return .incorrect(attemptsLeft: left)
            case .locked(let wait): return .locked(wait: wait)
            case .notActive: return .notActive
            }
        }
    }

    static let tight = SendLimits(
        phone: RateLimit(3, per: 300), phoneLonger: RateLimit(6, per: 3600), network: RateLimit(8, per: 400),
        prefix: RateLimit(10, per: 600), fraudGuard: .enforce, cooldowns: [10, 20])

    static let cases: [(seed: UInt64, limits: SendLimits)] = {
        var recording = tight
        recording.fraudGuard = .record
        var off = tight
        off.fraudGuard = .off
        off.phoneLonger = nil
        var loose = tight
        loose.phone = nil
        loose.phoneLonger = nil
        loose.network = RateLimit(900, per: 60)
        loose.prefix = RateLimit(900, per: 60)
        return [(1, tight), (2, tight), (3, recording), (4, off), (5, loose), (6, loose)]
    }()

    @Test("over random sends, resends and answers", arguments: cases)
    func random(seed: UInt64, limits: SendLimits) async throws {
        try await withTestDatabase(migrations: OTPService.migrationsDirectory) { database in
            let locks = LockPolicy(every: 4, seconds: 300, forGood: 30)
            let store = ChallengeStore(postgres: database.client, limits: limits, locks: locks)
            var world = World(limits: limits, locks: locks)
            var generator = SplitMix(state: seed)
            let phones = [1, 2].compactMap { PhoneNumber(e164: "+91987654\(3210 + $0)") }
            var now = Date(timeIntervalSince1970: 1_800_000_000)
            var outcomes: [String: Int] = [:]
            for _ in 0..<600 {
                now.addTimeInterval(TimeInterval([0, 1, 5, 10, 20, 60, 200].randomElement(using: &generator) ?? 1))
                let network = ["10.0.0.1", "10.0.0.2"].randomElement(using: &generator) ?? ""
                let known = world.challenges.keys.sorted { $0.description < $1.description }.suffix(4)
                let id = known.randomElement(using: &generator) ?? ChallengeID()
                switch Int.random(in: 0..<10, using: &generator) {
                case 0..<3:
                    let phone = try #require(phones.randomElement(using: &generator))
                    let purpose = Purpose.allCases.randomElement(using: &generator) ?? .signIn
                    let order = try Self.order(phone, purpose, at: now)
                    let decision = try await store.send(order, network: network, at: now)
                    #expect(decision == world.send(order, network, at: now), "send at \(now)")
                    outcomes[Self.name(decision), default: 0] += 1
                case 3..<5:
                    let decision = try await store.resend(id, channel: .sms, network: network, at: now)
                    #expect(decision == world.resend(id, network, at: now), "resend at \(now)")
                    outcomes["re-" + Self.name(decision), default: 0] += 1
                default:
                    let correct = Int.random(in: 0..<6, using: &generator) == 0
                    let phone = world.challenges[id]?.phone ?? phones[0]
                    let right = try Keys.code(id, phone, world.challenges[id]?.rule.purpose ?? .signIn)
                    let code = correct ? right : right.wrong
                    let decision = try await store.answer(id, Keys.codes.candidates(code, for: id), at: now)
                    #expect(decision == world.answer(id, correct: correct, at: now), "answer at \(now)")
                    outcomes[Self.name(decision), default: 0] += 1
                }
            }
            try await Self.compare(world, database.client, at: now)
            // A test that never meets an outcome says nothing about it.
            #expect(outcomes.count >= 8, "\(outcomes)")
        }
    }

    static func order(_ phone: PhoneNumber, _ purpose: Purpose, at now: Date) throws -> ChallengeOrder {
        let id = ChallengeID(uuid: UUID.version7(at: now))
        return ChallengeOrder(
            id: id, phone: phone, purpose: purpose, channel: .sms,
            code: Keys.codes.seal(try Keys.code(id, phone, purpose), for: id), codeLength: 6, lifetime: 300,
            maxAttempts: 5)
    }

    static func name(_ decision: Any) -> String {
        String(String(describing: decision).prefix { $0 != "(" && $0 != ":" })
    }

    static func compare(_ world: World, _ client: PostgresClient, at now: Date) async throws {
        let rows = try await client.read(
            """
            SELECT phone, first_tat, second_tat, failures, (extract(epoch FROM greatest(resend_at, '1970-01-01Z')))::int8,
                locked_until = 'infinity', (extract(epoch FROM least(greatest(locked_until, '1970-01-01Z'), '3000-01-01Z')))::int8,
                sign_in, change_phone, admin_sign_in
            FROM phones
            """)
        #expect(rows.count == world.lines.count)
        for row in rows {
            let (phone, first, second, failures, resendAt, forGood, lockedUntil, signIn, changePhone, adminSignIn) =
                try row.decode((String, Int, Int, Int, Int, Bool, Int, UUID?, UUID?, UUID?).self)
            let number = try #require(PhoneNumber(e164: phone))
            let line = try #require(world.lines[number])
            #expect(line.firstArrival == first && line.secondArrival == second)
            #expect(line.failures == failures)
            #expect(max(0, line.resendAt.timeIntervalSince1970) == Double(resendAt))
            #expect((line.lockedUntil == .distantFuture) == forGood)
            if !forGood { #expect(max(0, line.lockedUntil.timeIntervalSince1970) == Double(lockedUntil)) }
            #expect(line.named[.signIn]?.uuid == signIn && line.named[.changePhone]?.uuid == changePhone)
            #expect(line.named[.adminSignIn]?.uuid == adminSignIn)
        }
        for row in try await client.read("SELECT id, attempts, resends, verified_at IS NOT NULL FROM challenges") {
            let (id, attempts, resends, verified) = try row.decode((UUID, Int, Int, Bool).self)
            let rule = try #require(world.challenges[ChallengeID(uuid: id)]?.rule)
            #expect(rule.attempts == attempts && rule.resends == resends && (rule.verifiedAt != nil) == verified)
        }
        for row in try await client.read("SELECT key, tat FROM rate_limits") {
            let (key, tat) = try row.decode((String, Int).self)
            let parts = key.split(separator: ":", maxSplits: 1).map(String.init)
            let expected = parts[0] == "network" ? world.networks[parts[1]] : world.prefixes[parts[1]]
            // What lies in the past is the same as nothing: a charge that was taken back leaves the present behind.
            #expect(max(expected ?? 0, now.microseconds) == max(tat, now.microseconds), "\(key)")
        }
    }

    /// Reproducible random numbers.
    struct SplitMix: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}
