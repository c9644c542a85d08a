import CoreMetrics
import Synchronization
import Testing

@testable import Caching

/// Counts what counters count; set up once for the whole test process.
final class CountingMetrics: MetricsFactory, Sendable {
    final class Count: CounterHandler, RecorderHandler, Sendable {
        let total = Atomic<Int64>(0)
        func increment(by amount: Int64) { total.add(amount, ordering: .relaxed) }
        func reset() { total.store(0, ordering: .relaxed) }
        func record(_ value: Int64) { total.store(value, ordering: .relaxed) }
        func record(_ value: Double) { record(Int64(value)) }
    }

    static let shared: CountingMetrics = {
        let factory = CountingMetrics()
        MetricsSystem.bootstrap(factory)
        return factory
    }()

    private let counts = Mutex<[String: Count]>([:])

    func total(_ label: String, _ cache: String) -> Int64? {
        counts.withLock { $0["\(label){cache=\(cache)}"]?.total.load(ordering: .relaxed) }
    }

    private func count(_ label: String, _ dimensions: [(String, String)]) -> Count {
        let names = dimensions.map { "\($0.0)=\($0.1)" }.joined(separator: ",")
        return counts.withLock { counts in
            let count = counts["\(label){\(names)}"] ?? Count()
            counts["\(label){\(names)}"] = count
            return count
        }
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler { count(label, dimensions) }
    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        count(label, dimensions)
    }
    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        NOOPMetricsHandler.instance
    }
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
}

@Suite("Cache metrics")
struct CacheMetricsTests {
    @Test("the counters say what the statistics say")
    func counters() async throws {
        let metrics = CountingMetrics.shared
        let cache = Cache<Int, Int>(
            name: "counted", policy: CachePolicy(capacity: 4, shards: 1, freshFor: .seconds(3600)))
        for key in 0..<10 { _ = try await cache.value(for: key) { key } }
        for _ in 0..<3 { _ = try await cache.value(for: 9) { 0 } }
        _ = try? await cache.value(for: 100) { throw CancellationError() }
        cache.invalidate(9)
        #expect(metrics.total("cache_misses_total", "counted") == 11)
        #expect(metrics.total("cache_hits_total", "counted") == 3)
        #expect(metrics.total("cache_fills_total", "counted") == 11)
        #expect(metrics.total("cache_fill_failures_total", "counted") == 1)
        #expect(metrics.total("cache_evictions_total", "counted") == 6)
        #expect(metrics.total("cache_invalidations_total", "counted") == 1)
        #expect(metrics.total("cache_entries", "counted") == 4)
    }
}
