package import CoreMetrics
import Synchronization

/// Keeps the metrics of the process and writes them as Prometheus text (exposition format 0.0.4).
///
/// It is the backend of swift-metrics: a counter stays a counter, a recorder becomes a gauge, or a histogram if it
/// aggregates, a timer becomes a histogram in seconds. Names and labels are brought into the alphabet of Prometheus.
/// At most 4,096 series are kept; what would be more is counted and not kept, so that a label with too many values
/// cannot fill the memory.
package final class MetricsRegistry: MetricsFactory {
    /// The registry that `bootstrap` makes swift-metrics use.
    package static let shared = MetricsRegistry()

    private struct Family {
        let kind: MetricKind
        var series: [String: any MetricSeries] = [:]
    }

    /// A series as it was asked for, before its names are brought into the alphabet.
    private struct Asked: Hashable {
        let label: String
        let dimensions: [(String, String)]

        static func == (one: Asked, other: Asked) -> Bool {
            one.label == other.label && one.dimensions.elementsEqual(other.dimensions, by: ==)
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(label)
            for (name, value) in dimensions {
                hasher.combine(name)
                hasher.combine(value)
            }
        }
    }

    private struct State {
        var families: [String: Family] = [:]
        /// What was asked for before: a counter of a refusal that costs no SQL should not cost more than the refusal.
        var known: [Asked: any MetricSeries] = [:]
        var count = 0
        var refused = 0
    }

    private let capacity: Int
    private let state = Mutex(State())

    package init(capacity: Int = 4096) {
        self.capacity = capacity
    }

    /// Makes swift-metrics use the shared registry; once in a process, before the first metric is made.
    package static func bootstrap() { MetricsSystem.bootstrap(shared) }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions, .counter) { CounterSeries() } ?? CounterSeries()
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(label, dimensions, .counter) { FloatingPointCounterSeries() } ?? FloatingPointCounterSeries()
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, .gauge) { GaugeSeries() } ?? GaugeSeries()
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        if aggregate {
            return series(label, dimensions, .histogram) { HistogramSeries(bounds: HistogramSeries.amounts) }
                ?? HistogramSeries(bounds: [])
        }
        return series(label, dimensions, .gauge) { GaugeSeries() } ?? GaugeSeries()
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, dimensions, .histogram) { HistogramSeries(bounds: HistogramSeries.seconds) }
            ?? HistogramSeries(bounds: [])
    }

    /// Series stay: a counter that vanished and came back would look like a restart.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    /// The series with these labels, made if need be; nil if there is no room or the name belongs to another kind.
    private func series<Series: MetricSeries>(
        _ label: String, _ dimensions: [(String, String)], _ kind: MetricKind, _ make: () -> Series
    ) -> Series? {
        let asked = Asked(label: label, dimensions: dimensions)
        if let known = state.withLock({ $0.known[asked] }) as? Series { return known }
        let name = MetricText.name(label)
        let labels = MetricText.labels(dimensions)
        return state.withLock { state -> Series? in
            var family = state.families[name] ?? Family(kind: kind)
            if let known = family.series[labels] as? Series {
                // One series has few spellings, unless somebody makes them up.
                if state.known.count < capacity { state.known[asked] = known }
                return known
            }
            guard family.kind == kind, family.series[labels] == nil, state.count < capacity else {
                state.refused += 1
                return nil
            }
            let made = make()
            family.series[labels] = made
            state.families[name] = family
            state.count += 1
            return made
        }
    }

    /// All metrics as text, sorted by name and labels.
    package func text() -> String {
        let (families, refused) = state.withLock { ($0.families, $0.refused) }
        var text = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            text += "# TYPE \(name) \(family.kind.rawValue)\n"
            for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                series.write(name: name, labels: labels, into: &text)
            }
        }
        if refused > 0 {
            text += "# TYPE metrics_series_refused_total counter\nmetrics_series_refused_total \(refused)\n"
        }
        return text
    }
}

/// The kinds of Prometheus that we have.
enum MetricKind: String { case counter, gauge, histogram }
