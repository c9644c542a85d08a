import Foundation
import Identity
import Testing

@testable import OTPService

@Suite("Limits and rules")
struct LimitTests {
    @Test("limits are read as they are published")
    func reading() {
        #expect(RateLimit("5/3600") == RateLimit(count: 5, seconds: 3600))
        for text in ["", "5", "5/", "/5", "0/5", "5/0", "-1/5", "5/3600/1", "1e3/5", "5/99999999", "٥/٥", " 5/3600"] {
            #expect(RateLimit(text) == nil, "\(text)")
        }
    }

    @Test("GCRA gives the whole burst, then one each step")
    func burst() {
        let limit = RateLimit(5, per: 3600)
        let now = 1_800_000_000_000_000
        var arrival = 0
        for _ in 0..<5 {
            #expect(limit.wait(arrival: arrival, now: now) <= 0)
            arrival = limit.charged(arrival: arrival, now: now)
        }
        #expect(limit.wait(arrival: arrival, now: now) == 720_000_000)
        #expect(limit.wait(arrival: arrival, now: now + 720_000_000) == 0)
    }

    @Test("a narrow network limit is one row, a wide one sixteen that make up the whole")
    func parts() {
        let narrow = NetworkPart("203.0.113.9", RateLimit(25, per: 300))
        #expect(narrow.key == "network:203.0.113.9" && narrow.limit == RateLimit(25, per: 300))
        let wide = (0..<500).map { _ in NetworkPart("203.0.113.9", RateLimit(10_000, per: 300)) }
        #expect(Set(wide.map(\.key)).count == 16)
        #expect(wide.allSatisfy { $0.limit == RateLimit(625, per: 300) })
    }

    @Test("cooldowns grow, and the last one stays")
    func cooldowns() {
        #expect((0...4).map(SendLimits.standard.cooldown(after:)) == [30, 60, 120, 120, 120])
    }

    @Test("ten failures lock for a quarter of an hour, a hundred for good; a success forgets them")
    func locks() {
        var line = PhoneLine()
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        // An hour between two: each lock says which failure it is of.
        func hour(_ failure: Int) -> Date { now.addingTimeInterval(Double(failure) * 3600) }
        for failure in 1...99 {
            line.failed(at: hour(failure), .standard)
            let locking = failure / 10 * 10
            let end = locking == 0 ? Date.distantPast : hour(locking).addingTimeInterval(900)
            #expect(line.lockedUntil == end, "\(failure)")
        }
        line.failed(at: now, .standard)
        #expect(line.lockedUntil == .distantFuture)
        line.succeeded()
        #expect(line.failures == 0 && line.lockedUntil == .distantPast)
    }

    @Test("countries and kinds of line")
    func destinations() throws {
        let india = DestinationPolicy(countries: ["IN"])
        let all = DestinationPolicy(countries: nil)
        let mobile = try PhoneNumber(parsing: "+91 98765 43210", defaultRegion: nil)
        let american = try PhoneNumber(parsing: "+1 212 555 2368", defaultRegion: nil)
        let premium = try PhoneNumber(parsing: "+1 900 555 2368", defaultRegion: nil)
        let tollFree = try PhoneNumber(parsing: "+91 1800 123 4567", defaultRegion: nil)
        #expect(india.allows(mobile) && !india.allows(american))
        #expect(all.allows(american))
        #expect(!all.allows(premium) && !india.allows(tollFree))
        // KEY-04: satellites and global networks, which belong to no country.
        var tried = 0
        for text in ["+870773123456", "+881612345678", "+882161234567", "+88310123456789", "+979123456789"] {
            guard let global = try? PhoneNumber(parsing: text, defaultRegion: nil) else { continue }
            tried += 1
            #expect(!all.allows(global) && !india.allows(global), "\(text)")
        }
        #expect(tried >= 2)
    }

    @Test("pauses double, spread, respect what the gateway asks, and end with the code")
    func pauses() {
        let policy = RetryPolicy.standard
        func pause(_ tries: Int, asked: Duration? = nil, remaining: Duration = .seconds(300), random: Double = 0.5)
            -> Duration?
        {
            policy.pause(after: tries, remaining: remaining, asked: asked, random: random)
        }
        #expect(pause(1) == .milliseconds(500))
        #expect(pause(2) == .seconds(1))
        #expect(pause(11) == .seconds(30))
        #expect(pause(1, random: 0) == .milliseconds(250))
        #expect(pause(1, random: 1) == .milliseconds(750))
        #expect(pause(1, asked: .seconds(7)) == .seconds(7))
        #expect(pause(100) == .seconds(30), "what still lives is not given up")
        #expect(pause(9, remaining: .seconds(25)) == .seconds(15), "the last try, ten seconds before the end")
        #expect(pause(9, remaining: .seconds(10)) == nil)
        #expect(pause(1, asked: .seconds(20), remaining: .seconds(29)) == nil)
        #expect(pause(1, asked: .seconds(20), remaining: .seconds(30)) == .seconds(20))
    }

    @Test("OBX-04, OBX-06: however the pauses fall, a code of ten minutes is tried to its end, and not often")
    func tries() {
        for (random, most) in [(0.0, 46), (1.0, 20)] {
            var life = Duration.seconds(600)
            var tries = 1
            while let pause = RetryPolicy.standard.pause(after: tries, remaining: life, random: random) {
                life -= pause
                tries += 1
            }
            #expect(life == .seconds(10) && tries == most, "\(tries) tries, \(life) left")
        }
    }
}
