import CoreMetrics
import Synchronization

/// One metric with one set of labels.
protocol MetricSeries: AnyObject, Sendable {
    /// Appends its lines.
    /// - Parameter labels: `a="1",b="2"`, possibly empty.
    func write(name: String, labels: String, into text: inout String)
}

final class CounterSeries: MetricSeries, CounterHandler {
    private let value = Atomic<Int64>(0)

    func increment(by amount: Int64) {
        // A counter that went down would be read as a restart.
        if amount > 0 { value.wrappingAdd(amount, ordering: .relaxed) }
    }

    func reset() { value.store(0, ordering: .relaxed) }

    func write(name: String, labels: String, into text: inout String) {
        text += "\(name)\(MetricText.braces(labels)) \(value.load(ordering: .relaxed))\n"
    }
}

final class FloatingPointCounterSeries: MetricSeries, FloatingPointCounterHandler {
    private let value = Mutex(0.0)

    func increment(by amount: Double) {
        if amount > 0, amount.isFinite { value.withLock { $0 += amount } }
    }

    func reset() { value.withLock { $0 = 0 } }

    func write(name: String, labels: String, into text: inout String) {
        text += "\(name)\(MetricText.braces(labels)) \(MetricText.number(value.withLock { $0 }))\n"
    }
}

final class GaugeSeries: MetricSeries, MeterHandler, RecorderHandler {
    private let value = Mutex(0.0)

    func set(_ value: Int64) { record(Double(value)) }
    func set(_ value: Double) { record(value) }
    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) { self.value.withLock { $0 = value } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }

    func write(name: String, labels: String, into text: inout String) {
        text += "\(name)\(MetricText.braces(labels)) \(MetricText.number(value.withLock { $0 }))\n"
    }
}

final class HistogramSeries: MetricSeries, TimerHandler, RecorderHandler {
    /// For durations, in seconds: from half a millisecond to our longest wait.
    static let seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
    /// For amounts of anything else.
    static let amounts = [1.0, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000, 100_000]

    private struct State {
        /// How many fell into each bucket alone; the last one is beyond all bounds.
        var counts: [Int]
        var sum = 0.0
    }

    private let bounds: [Double]
    private let state: Mutex<State>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard value.isFinite else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }

    func write(name: String, labels: String, into text: inout String) {
        let state = state.withLock { $0 }
        let prefix = labels.isEmpty ? "" : labels + ","
        var total = 0
        for (bound, count) in zip(bounds, state.counts) {
            total += count
            text += "\(name)_bucket{\(prefix)le=\"\(MetricText.number(bound))\"} \(total)\n"
        }
        total += state.counts.last ?? 0
        text += "\(name)_bucket{\(prefix)le=\"+Inf\"} \(total)\n"
        text += "\(name)_sum\(MetricText.braces(labels)) \(MetricText.number(state.sum))\n"
        text += "\(name)_count\(MetricText.braces(labels)) \(total)\n"
    }
}
