/// A value with its age.
package struct CachedValue<Value: Sendable>: Sendable {
    package let value: Value
    /// When the fill that gave the value began: the value is as of this moment or later.
    package let storedAt: ContinuousClock.Instant
    /// The time since `storedAt`, when the value was handed out.
    package let age: Duration
    /// Whether it was older than it should be, because it is being refreshed or because refreshing it failed.
    package let isStale: Bool
}

/// What a cache has done since it was made, and what it holds.
package struct CacheStatistics: Sendable, Equatable {
    /// Calls answered at once from memory, stale ones included.
    package var hits = 0
    /// Those of `hits` that were stale.
    package var staleHits = 0
    /// Calls that had to wait for a fill.
    package var misses = 0
    /// Fills begun; with single flight far fewer than misses.
    package var fills = 0
    /// Fills that threw.
    package var failures = 0
    /// Entries dropped to make room.
    package var evictions = 0
    /// Entries dropped, and fills set aside, by an invalidation.
    package var invalidations = 0
    /// Entries held now.
    package var entries = 0
    /// The cost of the entries held now.
    package var cost = 0

    static func += (sum: inout CacheStatistics, part: CacheStatistics) {
        sum.hits += part.hits
        sum.staleHits += part.staleHits
        sum.misses += part.misses
        sum.fills += part.fills
        sum.failures += part.failures
        sum.evictions += part.evictions
        sum.invalidations += part.invalidations
        sum.entries += part.entries
        sum.cost += part.cost
    }
}
