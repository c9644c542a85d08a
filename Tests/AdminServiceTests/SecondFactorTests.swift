import Postgres
import Foundation
import Identity
import PostgresTestKit
import Testing

@testable import AdminService

@Suite("Second factor", .timeLimit(.minutes(2)))
struct SecondFactorTests {
    let limits = SecondFactorLimits(failuresToLock: 3, lockSeconds: 60, failuresToDisable: 8)
    let start = Date(timeIntervalSince1970: 1_800_000_000)

    @Test("locks after so many, again after as many more, and at last for good")
    func rule() {
        var factor = SecondFactor()
        var now = start
        func wrong() -> SecondFactor.Outcome { factor.present(step: nil, now: now, limits: limits) }
        #expect(wrong() == .incorrect)
        #expect(wrong() == .incorrect)
        #expect(factor.lock == .open)
        #expect(wrong() == .incorrect)
        #expect(factor.lock == .until(now + 60))
        #expect(wrong() == .locked)
        #expect(factor.present(step: 5, now: now + 59, limits: limits) == .locked)
        now += 60
        for _ in 0..<3 { #expect(wrong() == .incorrect) }
        #expect(wrong() == .locked)
        now += 60
        #expect(wrong() == .incorrect)
        #expect(wrong() == .incorrect)
        #expect(factor.failures == 8 && factor.lock == .forGood)
        now += 1_000_000
        #expect(wrong() == .locked)
    }

    @Test("a right code clears, and is used up with all before it")
    func clears() {
        var factor = SecondFactor(lastStep: 10, failures: 2)
        #expect(factor.present(step: 11, now: start, limits: limits) == .accepted)
        #expect(factor == SecondFactor(lastStep: 11))
        #expect(factor.present(step: 11, now: start, limits: limits) == .incorrect)
        #expect(factor.present(step: 10, now: start, limits: limits) == .incorrect)
        #expect(factor.failures == 2)
    }

    @Test("attempts left after a wrong code")
    func attemptsLeft() {
        let left = (1...8).map { SecondFactor.attemptsLeft(failures: $0, limits: limits) }
        #expect(left == [2, 1, 0, 2, 1, 0, 1, 0])
    }

    /// Random events through the rule and through the database: the same outcomes, the same state.
    @Test("the database applies the same rule", arguments: 0..<6)
    func sameRule(seed: Int) async throws {
        try await withAdminDatabase { database in
            var database = database
            database.secondFactorLimits = limits
            let admin = try await database.enrol()
            var random = Seeded(state: UInt64(seed) &* 7919 &+ 1)
            var rule = SecondFactor()
            var now = start
            for number in 0..<60 {
                // Time passes for the rule by its parameter and for the database by shifting its lock.
                if Int.random(in: 0..<4, using: &random) == 0 {
                    now += 61
                    try await database.test.execute(
                        "UPDATE admins SET totp_locked_until = totp_locked_until - interval '61 s'")
                }
                let step: Int64? =
                    Int.random(in: 0..<5, using: &random) == 0
                    ? rule.lastStep + .random(in: -1...2, using: &random) : nil
                let expected = rule.present(step: step.map { max(0, $0) }, now: now, limits: limits)
                let verdict = try await database.store.decide(
                    SignInStore.Attempt(
                        admin: admin.id, challenge: ChallengeID(), step: step.map { max(0, $0) }, resealed: nil),
                    origin: testOrigin)
                #expect(verdict.outcome == expected, "event \(number)")
                let row = try #require(
                    try await database.test.client.read(
                        """
                        SELECT totp_last_step, totp_failures::int8, totp_locked_until > now(),
                               totp_locked_until = 'infinity'
                          FROM admins
                        """
                    ).first)
                let (lastStep, failures, isLocked, isForGood) = try row.decode((Int64, Int, Bool?, Bool?).self)
                #expect(lastStep == rule.lastStep && failures == rule.failures, "event \(number)")
                switch rule.lock {
                case .open: #expect(isLocked == nil)
                case .until(let end): #expect(isLocked == (end > now) && isForGood == false)
                case .forGood: #expect(isForGood == true)
                }
            }
        }
    }
}

extension SignInStore.Verdict {
    fileprivate var outcome: SecondFactor.Outcome? {
        switch self {
        case .accepted: .accepted
        case .incorrect: .incorrect
        case .locked: .locked
        case .used, .gone: nil
        }
    }
}

/// SplitMix64: the same events for the same seed.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
