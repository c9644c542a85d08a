import Foundation
import Identity
import MSG91Simulator
import PostgresTestKit
import ServiceTestKit
import Testing

@testable import OTPService

@Suite("Codes of two instances", .timeLimit(.minutes(5)))
struct ManyCodesTests {
    /// `OTP_CODES=5000` for the full size, of a hundred phones and more in any case.
    static let count = ProcessInfo.processInfo.environment["OTP_CODES"].flatMap { Int($0) } ?? 1500
    static let limits = [
        "OTP_SENDS_PER_PREFIX": "1000000/60", "OTP_SENDS_PER_NETWORK": "1000000/60",
        "OTP_SENDS_PER_PHONE": "1000000/60",
        "OTP_REQUESTS_PER_NETWORK": "1000000/60",
    ]

    @Test("OTP-02: the codes of many phones over two instances are flat, and no instance repeats itself or another")
    func flat() async throws {
        try await withOTPServer(Self.limits) { server in
            let phones = Set((0..<Self.count / 10).map { _ in PhoneNumber.fresh() })
            var codes = try await collect(server, Array(phones), rounds: 9)
            // As after a restart: an instance whose first codes these are, and another one beside it.
            let fresh = Set((0..<Self.count / 10).map { _ in PhoneNumber.fresh() })
            let (one, other) = try await server.withAnotherInstance { first in
                let one = try await self.first(first, Array(fresh.prefix(fresh.count / 2)))
                let other = try await first.withAnotherInstance {
                    try await self.first($0, Array(fresh.suffix(fresh.count / 2)))
                }
                return (one, other)
            }
            #expect(Set(windows(one)).isDisjoint(with: windows(other)))
            #expect(Set(windows(one + other)).isDisjoint(with: windows(codes.flatMap(\.self))))
            codes += [one, other]
            check(codes.flatMap(\.self))
            for own in codes {
                #expect(zip(own, zip(own.dropFirst(), own.dropFirst(2))).allSatisfy { $0 != $1.0 || $0 != $1.1 })
            }
            let hashes = try await server.database.execute(
                "SELECT count(*) - count(DISTINCT digest) FROM challenges")
            #expect(hashes == ["0"], "the same code of two challenges is two digests")
        }
    }

    /// Codes of each phone in their order, asked for at two instances in turn.
    private func collect(_ server: OTPServer, _ phones: [PhoneNumber], rounds: Int) async throws -> [[String]] {
        try await server.withAnotherInstance { another in
            for round in 0..<rounds {
                try await server.database.execute("UPDATE phones SET resend_at = '-infinity'")
                _ = try await RaceTests.parallel(8) { lane in
                    for index in stride(from: lane, to: phones.count, by: 8) {
                        let instance = (index + round) % 2 == 0 ? server : another
                        _ = try await instance.challenge(phones[index])
                    }
                }
                let end = ContinuousClock.now + .seconds(120)
                while try await server.assembly.outbox.depth().count > 0, ContinuousClock.now < end {
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            let messages = Dictionary(grouping: server.gateway.messages().reversed(), by: \.mobile)
            let codes = phones.map { phone in (messages[phone.digits] ?? []).compactMap(\.otp) }
            // The gateway swallows a code that it had for the same phone within ten seconds: one in a million.
            #expect(codes.map(\.count).reduce(0, +) >= phones.count * rounds - 2)
            return codes
        }
    }

    /// The first codes of an instance, one for each phone.
    private func first(_ instance: OTPServer, _ phones: [PhoneNumber]) async throws -> [String] {
        var codes: [String] = []
        for phone in phones {
            _ = try await instance.challenge(phone)
            codes.append(try await instance.codes(phone, within: .seconds(30))[0])
        }
        return codes
    }

    /// Every two codes in a row: by chance two sequences share a pair once in millions.
    private func windows(_ codes: [String]) -> [String] { zip(codes, codes.dropFirst()).map { $0 + $1 } }

    private func check(_ codes: [String]) {
        #expect(codes.allSatisfy { $0.utf8.count == 6 && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } })
        let expected = Double(codes.count) / 10
        for position in 0..<6 {
            var counts = Array(repeating: 0.0, count: 10)
            for code in codes { counts[Int(Array(code.utf8)[position]) - 0x30] += 1 }
            let chiSquare = counts.reduce(0.0) { $0 + ($1 - expected) * ($1 - expected) / expected }
            // 9 degrees of freedom: 1 in 10 000 000 is above.
            #expect(chiSquare < 52, "\(position): \(counts)")
            // Of 5 000, 8 to 12 in a hundred begin with a zero; of fewer, chance moves the bound.
            let spread = max(0.02, 6 * (0.09 / Double(codes.count)).squareRoot())
            if position == 0 { #expect(abs(counts[0] / Double(codes.count) - 0.1) < spread, "\(counts)") }
        }
    }
}
