import Caching
import HTTPServer
import HTTPTypes
import Hummingbird
import Identity

/// `GET /caches`: what this instance remembers, and a button that makes all instances forget.
struct CachesPage: Sendable {
    let frame: PageFrame
    let caches: [any InspectableCache]
    let clear: ClearCaches

    struct Row: Sendable {
        let name: String
        let entries: String
        let hits: String
        let misses: String
        let ratio: String
        let stale: String
        let failures: String
        let evictions: String
        let invalidations: String
    }

    struct View: Sendable {
        let rows: [Row]
        let mayClear: Bool
    }

    func add(to routes: ConsoleRoutes) {
        routes.page("/caches") { request, context in
            let isCleared = frame.flash.word(about: "/caches", try request.query, context) != nil
            return try frame.page(
                "caches", title: "Caches", section: .caches,
                notice: isCleared ? .good("All instances forget what they remembered and read anew.") : nil,
                View(rows: caches.map(Self.row), mayClear: context.admin.role >= .support), request, context)
        }
        routes.action("/caches/clear", atLeast: .support) { _, _, context in
            try await clear(by: context.admin.id, origin: AuditOrigin(context.base))
            return try frame.flash.redirect(to: "/caches", saying: "cleared", context)
        }
    }

    private static func row(_ cache: any InspectableCache) -> Row {
        let figures = cache.statistics
        let hits = figures.hits + figures.staleHits
        return Row(
            name: cache.name, entries: Wording.number(figures.entries), hits: Wording.number(hits),
            misses: Wording.number(figures.misses), ratio: Wording.percent(hits, of: hits + figures.misses),
            stale: Wording.number(figures.staleHits), failures: Wording.number(figures.failures),
            evictions: Wording.number(figures.evictions), invalidations: Wording.number(figures.invalidations))
    }
}
