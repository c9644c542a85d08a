/// What an operator may see of and do to a cache of any kind.
package protocol InspectableCache: Sendable {
    /// The name in metrics and listings.
    var name: String { get }
    /// What the cache has done and holds.
    var statistics: CacheStatistics { get }
    /// Drops every entry that carries the tag.
    func invalidate(tag: CacheTag)
    /// Drops everything.
    func invalidateAll()
}

extension Cache: InspectableCache {}
