package import HTTPServer
package import Identity
import Synchronization

/// What a refusal was about.
package enum RefusedKey: Hashable, Sendable {
    case network(ClientAddress)
    case phone(PhoneNumber)
    /// A block of numbers, without its last four digits.
    case prefix(String)
    /// A challenge that cannot be answered now.
    case challenge(ChallengeID)
}

/// Remembers refusals for a moment, so that an attack costs no SQL. Permissions are never remembered.
///
/// A refusal is remembered longer the more often it repeats: two milliseconds for each time in a row, a second at most, and never
/// beyond its own end. A person who is told to wait is judged afresh by the database the next time; whoever asks hundreds of
/// times a second is answered from here but for once a second. So what an operator lifts is lifted, on every instance,
/// within a second, and in practice at once.
package final class RefusalMemory<Refusal: Sendable>: Sendable {
    private struct Entry {
        var refusal: Refusal
        var ends: ContinuousClock.Instant
        var rememberedUntil: ContinuousClock.Instant
        var latest: ContinuousClock.Instant
        var streak: Int
    }

    /// The longest that a refusal is remembered, and the pause after which a streak is over.
    package static var longest: Duration { .seconds(1) }
    private static var shards: Int { 16 }

    private final class Shard: Sendable {
        let table: Mutex<RecentTable<RefusedKey, Entry>>
        init(capacity: Int) { table = Mutex(RecentTable(capacity: capacity)) }
    }

    private let table: [Shard]

    /// Keeps at most `capacity` refusals.
    package init(capacity: Int = 32_768) {
        table = (0..<Self.shards).map { _ in Shard(capacity: max(1, capacity / Self.shards)) }
    }

    /// The refusal that still holds, and the microseconds until it ends.
    package func recall(_ key: RefusedKey, now: ContinuousClock.Instant = .now) -> (refusal: Refusal, wait: Int)? {
        shard(key).table.withLock { table in
            guard var entry = table[key], now < entry.rememberedUntil else { return nil }
            entry.streak += 1
            entry.latest = now
            table[key] = entry
            return (entry.refusal, (entry.ends - now).wholeMicroseconds)
        }
    }

    /// The database has refused; `wait` is in microseconds.
    package func remember(
        _ key: RefusedKey, _ refusal: Refusal, wait: Int, now: ContinuousClock.Instant = .now
    ) {
        let ends = now + .microseconds(max(0, wait))
        shard(key).table.withLock { table in
            let before = table[key]
            let streak = before.map { now - $0.latest < Self.longest ? $0.streak + 1 : 1 } ?? 1
            let span = min(Self.longest, .milliseconds(2 * min(streak, 1000)))
            table[key] = Entry(
                refusal: refusal, ends: ends, rememberedUntil: min(ends, now + span), latest: now, streak: streak)
        }
    }

    /// What was refused is allowed again.
    package func forget(_ key: RefusedKey) { shard(key).table.withLock { $0[key] = nil } }

    private func shard(_ key: RefusedKey) -> Shard {
        let index = Int(UInt(bitPattern: key.hashValue) % UInt(table.count))
        return table[index]
    }
}

extension Duration {
    /// In whole microseconds, for spans of less than a few thousand years.
    var wholeMicroseconds: Int {
        let (seconds, attoseconds) = components
        let (product, overflow) = Int(seconds).multipliedReportingOverflow(by: 1_000_000)
        return overflow ? .max : product &+ Int(attoseconds / 1_000_000_000_000)
    }
}
