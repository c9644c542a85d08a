import Caching
import HTTPServer
import Hummingbird
import Identity

/// `GET` and `DELETE /v1/admin/cache`: what this instance remembers; it is forgotten by all.
struct CacheRoutes: Sendable {
    let caches: [any InspectableCache]
    let audit: AuditStore
    let clear: ClearCaches
    let gate: OperatorGate

    func add(to router: PostkeyRouter) {
        router.operators(atLeast: .viewer, gate).get("/v1/admin/cache") { _, _ in
            try Response.json(.ok, CacheListing(caches: caches.map(CacheListing.Item.init)))
        }
        router.operators(atLeast: .support, gate).delete("/v1/admin/cache") { _, context in
            try await clear(by: context.admin.id, origin: AuditOrigin(context.base))
            return Response.empty()
        }
    }
}

/// Empties the caches of all instances.
struct ClearCaches: Sendable {
    let store: AdminChangeStore
    let audit: AuditStore
    let changes: AnnounceChange

    /// Recorded first: what cannot be recorded is not done. Throws `PostgresError`.
    func callAsFunction(by admin: AdminID, origin: AuditOrigin) async throws {
        try await audit.record(.cacheCleared, by: admin, target: ("cache", "all"), origin: origin)
        try await store.add(.all)
        await changes(.all)
    }
}

struct CacheListing: Encodable {
    struct Item: Encodable {
        let name: String
        let entries: Int
        let cost: Int
        let hits: Int
        let staleHits: Int
        let misses: Int
        let fills: Int
        let failures: Int
        let evictions: Int
        let invalidations: Int

        init(_ cache: any InspectableCache) {
            let statistics = cache.statistics
            name = cache.name
            entries = statistics.entries
            cost = statistics.cost
            hits = statistics.hits
            staleHits = statistics.staleHits
            misses = statistics.misses
            fills = statistics.fills
            failures = statistics.failures
            evictions = statistics.evictions
            invalidations = statistics.invalidations
        }

        enum CodingKeys: String, CodingKey {
            case name, entries, cost, hits, misses, fills, failures, evictions, invalidations
            case staleHits = "stale_hits"
        }
    }

    let caches: [Item]
}
