/// How much one cache keeps, and for how long.
///
/// An entry's age counts from the moment its fill *began*: what it says cannot be newer than that. With its age it
/// goes through up to four phases (the names are those of RFC 5861):
///
///     0 ────── freshFor ────── + staleWhileRevalidate ────── + staleIfError ──────▶
///       served            served, and filled again       filled again first; served      gone
///                         behind the caller's back       only if that fill fails
package struct CachePolicy: Sendable {
    /// The total cost of the entries kept, in the unit of the cache's `cost` closure; entries where that is absent.
    package var capacity: Int
    /// The number of independent parts, each with its own lock and its share of the capacity.
    package var shards: Int
    /// How long an entry is served without a question.
    package var freshFor: Duration
    /// How long after that an entry is still served while it is filled again.
    package var staleWhileRevalidate: Duration
    /// How long after `freshFor` an entry is served when filling it again failed.
    package var staleIfError: Duration
    /// The part of `freshFor`, 0 to 1, by which each entry's life is shortened at random, so that entries filled
    /// together do not expire together.
    package var jitter: Double
    /// How long after a failed refresh the old value is served before the next attempt.
    package var retryDelay: Duration

    /// A policy; values out of their range are brought into it.
    package init(
        capacity: Int, shards: Int = 4, freshFor: Duration, staleWhileRevalidate: Duration = .zero,
        staleIfError: Duration = .zero, jitter: Double = 0.1, retryDelay: Duration = .seconds(1)
    ) {
        self.capacity = max(1, capacity)
        self.shards = min(max(1, shards), self.capacity)
        self.freshFor = max(.zero, freshFor)
        self.staleWhileRevalidate = max(.zero, staleWhileRevalidate)
        self.staleIfError = max(.zero, staleIfError)
        self.jitter = min(max(0, jitter), 1)
        self.retryDelay = max(.zero, retryDelay)
    }

    /// The life of an entry whose random number, 0 up to 1, is `random`.
    func freshFor(random: Double) -> Duration { freshFor * (1 - jitter * random) }
}

/// A name that entries share, so that one change can drop all of them ("everything that shows this user").
package struct CacheTag: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
