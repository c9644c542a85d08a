import CoreMetrics
import ServiceRuntime
import Testing

@Suite struct MetricTests {
    @Test func theTextIsWhatPrometheusReads() {
        let registry = MetricsRegistry()
        registry.makeCounter(label: "otp_sent_total", dimensions: [("outcome", "ok"), ("channel", "sms")]).increment(
            by: 3)
        registry.makeCounter(label: "otp_sent_total", dimensions: [("channel", "voice"), ("outcome", "ok")]).increment(
            by: 1)
        // The same labels in another order are the same series.
        registry.makeCounter(label: "otp_sent_total", dimensions: [("channel", "sms"), ("outcome", "ok")]).increment(
            by: 2)
        registry.makeRecorder(label: "outbox_depth", dimensions: [], aggregate: false).record(7.5)
        registry.makeMeter(label: "connections", dimensions: []).increment(by: 2)
        registry.makeFloatingPointCounter(label: "cost.total", dimensions: []).increment(by: 0.25)
        let timer = registry.makeTimer(label: "delivery_seconds", dimensions: [("channel", "sms")])
        for nanoseconds in [400_000, 500_000, 7_000_000, 60_000_000_000] as [Int64] {
            timer.recordNanoseconds(nanoseconds)
        }
        #expect(
            registry.text() == """
                # TYPE connections gauge
                connections 2
                # TYPE cost_total counter
                cost_total 0.25
                # TYPE delivery_seconds histogram
                delivery_seconds_bucket{channel="sms",le="0.0005"} 2
                delivery_seconds_bucket{channel="sms",le="0.001"} 2
                delivery_seconds_bucket{channel="sms",le="0.0025"} 2
                delivery_seconds_bucket{channel="sms",le="0.005"} 2
                delivery_seconds_bucket{channel="sms",le="0.01"} 3
                delivery_seconds_bucket{channel="sms",le="0.025"} 3
                delivery_seconds_bucket{channel="sms",le="0.05"} 3
                delivery_seconds_bucket{channel="sms",le="0.1"} 3
                delivery_seconds_bucket{channel="sms",le="0.25"} 3
                delivery_seconds_bucket{channel="sms",le="0.5"} 3
                delivery_seconds_bucket{channel="sms",le="1"} 3
                delivery_seconds_bucket{channel="sms",le="2.5"} 3
                delivery_seconds_bucket{channel="sms",le="5"} 3
                delivery_seconds_bucket{channel="sms",le="10"} 3
                delivery_seconds_bucket{channel="sms",le="30"} 3
                delivery_seconds_bucket{channel="sms",le="+Inf"} 4
                delivery_seconds_sum{channel="sms"} 60.0079
                delivery_seconds_count{channel="sms"} 4
                # TYPE otp_sent_total counter
                otp_sent_total{channel="sms",outcome="ok"} 5
                otp_sent_total{channel="voice",outcome="ok"} 1
                # TYPE outbox_depth gauge
                outbox_depth 7.5

                """)
    }

    @Test func hostileLabelsStayInTheirQuotes() {
        let registry = MetricsRegistry()
        registry.makeCounter(label: "9 bad-name", dimensions: [("a b", "x\"y\\z\nforged 1")]).increment(by: 1)
        #expect(
            registry.text() == """
                # TYPE __bad_name counter
                __bad_name{a_b="x\\"y\\\\z\\nforged 1"} 1

                """)
    }

    @Test func seriesAreBounded() {
        let registry = MetricsRegistry(capacity: 10)
        for index in 0..<1000 {
            registry.makeCounter(label: "c", dimensions: [("i", String(index))]).increment(by: 1)
        }
        let lines = registry.text().split(separator: "\n")
        #expect(lines.count == 13)
        #expect(lines.last == "metrics_series_refused_total 990")
    }

    @Test func aSeriesIsOneHoweverOftenAndInWhateverOrderItIsAskedFor() {
        let registry = MetricsRegistry()
        for _ in 0..<3 {
            registry.makeCounter(label: "c", dimensions: [("a", "1"), ("b", "2")]).increment(by: 1)
            registry.makeCounter(label: "c", dimensions: [("b", "2"), ("a", "1")]).increment(by: 1)
            registry.makeCounter(label: "c", dimensions: [("a", "1"), ("b", "3")]).increment(by: 1)
            registry.makeCounter(label: "d", dimensions: [("a", "1"), ("b", "2")]).increment(by: 1)
            registry.makeMeter(label: "c", dimensions: [("a", "1"), ("b", "2")]).set(9.0)
        }
        #expect(
            registry.text() == """
                # TYPE c counter
                c{a="1",b="2"} 6
                c{a="1",b="3"} 3
                # TYPE d counter
                d{a="1",b="2"} 3
                # TYPE metrics_series_refused_total counter
                metrics_series_refused_total 3

                """)
    }

    @Test func aNameBelongsToOneKind() {
        let registry = MetricsRegistry()
        registry.makeCounter(label: "x", dimensions: []).increment(by: 1)
        registry.makeTimer(label: "x", dimensions: []).recordNanoseconds(1)
        registry.makeMeter(label: "x", dimensions: []).set(9.0)
        #expect(registry.text().hasPrefix("# TYPE x counter\nx 1\n# TYPE metrics_series_refused_total counter\n"))
    }

    @Test func countersOnlyGoUpAndNothingPoisonsASum() {
        let registry = MetricsRegistry()
        let counter = registry.makeCounter(label: "c", dimensions: [])
        counter.increment(by: 5)
        counter.increment(by: -3)
        let histogram = registry.makeRecorder(label: "h", dimensions: [], aggregate: true)
        histogram.record(Double.nan)
        histogram.record(Double.infinity)
        histogram.record(3.0)
        let gauge = registry.makeRecorder(label: "g", dimensions: [], aggregate: false)
        gauge.record(Double.infinity)
        let text = registry.text()
        #expect(text.contains("c 5\n"))
        #expect(text.contains("h_sum 3\nh_count 1\n"))
        #expect(text.contains("g +Inf\n"))
    }

    @Test func nothingIsLostBetweenThreads() async {
        let registry = MetricsRegistry()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<10_000 {
                        registry.makeCounter(label: "c", dimensions: [("a", "b")]).increment(by: 1)
                        registry.makeTimer(label: "t", dimensions: []).recordNanoseconds(1)
                    }
                }
            }
        }
        #expect(registry.text().contains("c{a=\"b\"} 80000\n"))
        #expect(registry.text().contains("t_count 80000\n"))
    }

    @Test func theProcessIsMeasured() {
        let text = ProcessMetrics().text()
        #expect(text.contains("process_start_time_seconds "))
        #expect(text.contains("process_cpu_seconds_total "))
    }
}
