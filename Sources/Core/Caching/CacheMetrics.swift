import CoreMetrics

/// The counters of one cache: `cache_hits_total{cache}` and its sisters.
///
/// Made once per cache, after the metrics system was set up.
struct CacheMetrics: Sendable {
    private let hits: Counter
    private let staleHits: Counter
    private let misses: Counter
    private let fills: Counter
    private let failures: Counter
    private let evictions: Counter
    private let invalidations: Counter
    private let entries: Gauge

    init(cache: String) {
        let dimensions = [("cache", cache)]
        hits = Counter(label: "cache_hits_total", dimensions: dimensions)
        staleHits = Counter(label: "cache_stale_hits_total", dimensions: dimensions)
        misses = Counter(label: "cache_misses_total", dimensions: dimensions)
        fills = Counter(label: "cache_fills_total", dimensions: dimensions)
        failures = Counter(label: "cache_fill_failures_total", dimensions: dimensions)
        evictions = Counter(label: "cache_evictions_total", dimensions: dimensions)
        invalidations = Counter(label: "cache_invalidations_total", dimensions: dimensions)
        entries = Gauge(label: "cache_entries", dimensions: dimensions)
    }

    func hit(isStale: Bool) {
        hits.increment()
        if isStale { staleHits.increment() }
    }

    func missed() { misses.increment() }
    func fillBegan() { fills.increment() }
    func fillFailed() { failures.increment() }
    func evicted(_ count: Int) { if count > 0 { evictions.increment(by: count) } }
    func invalidated(_ count: Int) { if count > 0 { invalidations.increment(by: count) } }
    func holds(_ count: Int) { entries.record(count) }
}
