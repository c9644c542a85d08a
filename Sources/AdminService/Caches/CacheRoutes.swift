import Caching
import HTTPServer
import Hummingbird
import Identity

/// `GET` and `DELETE /v1/admin/cache`: what this instance remembers.
struct CacheRoutes: Sendable {
    let caches: [any InspectableCache]
    let audit: AuditStore
    let gate: OperatorGate

    func add(to router: PostkeyRouter) {
        router.operators(atLeast: .viewer, gate).get("/v1/admin/cache") { _, _ in
            try Response.json(.ok, CacheListing(caches: caches.map(CacheListing.Item.init)))
        }
        router.operators(atLeast: .support, gate).delete("/v1/admin/cache") { _, context in
            // Recorded first: what cannot be recorded is not done.
            try await audit.record(
                .cacheCleared, by: context.admin.id, target: ("cache", "all"), origin: AuditOrigin(context.base))
            for cache in caches { cache.invalidateAll() }
            return Response.empty()
        }
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
