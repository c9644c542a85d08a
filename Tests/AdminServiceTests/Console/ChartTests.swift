import Foundation
import Identity
import Testing

@testable import AdminService

@Suite("Console: charts and wording")
struct ChartTests {
    @Test(
        "an axis has at most five round distances and reaches the highest value",
        arguments: [0, 1, 4, 5, 6, 9, 10, 11, 99, 100, 101, 12_345, 9e12] as [Double])
    func axis(highest: Double) {
        let scale = AxisScale(highest: highest)
        #expect(scale.maximum >= highest && (1...5).contains(scale.count))
        #expect(scale.marks.first == 0 && scale.marks.last == scale.maximum)
        #expect(["1", "2", "5"].contains(String(Wording.short(Int(scale.step)).prefix(1))))
    }

    @Test("values that are no numbers do not break a chart")
    func odd() {
        #expect(AxisScale(highest: .nan).maximum == 1 && AxisScale(highest: .infinity).maximum == 1)
        let chart = DayChart(
            id: "x", title: "x", summary: "", days: ["2026-11-24"],
            series: [DayChart.Series(name: "n", style: "a", values: [.nan, 3])])
        #expect(Plot(chart, name: "wide", width: 500, height: 200, days: 7).shapes.count == 1)
        #expect(Sparkline([1, 9]) == nil && Sparkline([0, 0, 9])?.line == "M0 26L96 26")
    }

    @Test("the running day is drawn and named as one of which there are the figures so far", arguments: [1, 2, 3, 30])
    func soFar(days count: Int) {
        let days = (1...count).map { "2026-11-\($0 < 10 ? "0" : "")\($0)" }
        for form in [DayChart.Form.lines, .bars] {
            let chart = DayChart(
                id: "x", title: "x", summary: "", days: days,
                series: [DayChart.Series(name: "n", style: "a", values: days.map { _ in 5 })], form: form)
            let view = ChartView(chart)
            #expect(view.rows.first?.day.hasSuffix("2026, so far") == true)
            #expect(view.rows.dropFirst().allSatisfy { !$0.day.contains("so far") })
            for plot in view.plots {
                let kind = form == .lines ? "line" : "bar"
                #expect(plot.drawing.matches(of: /class="\w+ series-a so-far"/).count == 1)
                #expect(plot.drawing.contains("class=\"\(kind) series-a so-far\""))
                #expect(plot.drawing.contains("class=\"\(kind) series-a\"") == (count > 1))
                #expect(plot.columns.last?.title.contains(", so far\nn: 5") == true)
            }
        }
    }

    @Test("what is not known is said, not left out: the budget of an otp-service that hangs")
    func noBudget() {
        let tiles = DashboardView.tiles(nil, nil)
        #expect(tiles.map(\.label) == ["Messages today"] && tiles.first?.value == "–")
        #expect(tiles.first?.detail == "otp-service gives no answer")
    }

    @Test("a day without a code has no conversion, in the table and in its strip, as the tile has none")
    func noConversion() throws {
        let all = StubDocuments(name: .otp).text("/internal/statistics")
        let counts = #""sent":10,"submitted":10,"delivered":9,"verified":8,"failed":1"#
        let text = all.replacing(counts, with: counts.replacing(/[0-9]+/, with: "0"))
        #expect(text != all)
        let charts = DashboardView.charts(try JSONDecoder().decode(MessageStatistics.self, from: Data(text.utf8)))
        let conversion = try #require(charts.first { $0.id == "conversion" })
        #expect(conversion.rows.map(\.cells) == [["70.0 %"], ["–"]])
        #expect(conversion.plots.allSatisfy { $0.columns.first?.title.hasSuffix("Verified of sent: –") == true })
        #expect(charts.first { $0.id == "codes" }?.rows.last?.cells == ["0", "0", "0"])
    }

    @Test("a chart without days has a frame and no marks")
    func empty() {
        let chart = DayChart(
            id: "x", title: "x", summary: "", days: [], series: [DayChart.Series(name: "n", style: "a", values: [])])
        let view = ChartView(chart)
        #expect(view.rows.isEmpty && view.plots.allSatisfy { $0.shapes.isEmpty && $0.grid.count == 2 })
    }

    @Test("what comes from outside is text in a chart and in its table")
    func escaping() {
        let chart = DayChart(
            id: "x", title: "x", summary: "", days: [#"<i>"&'"#],
            series: [DayChart.Series(name: "<b>", style: "a", values: [3])])
        let view = ChartView(chart)
        for html in [view.table] + view.plots.map(\.drawing) {
            #expect(html.contains("&lt;i&gt;&quot;&amp;&#39;") && !html.contains("<i>") && !html.contains("<b>"))
        }
    }

    @Test("numbers and times as pages show them")
    func wording() throws {
        #expect(
            Wording.number(1_234_567) == "1,234,567" && Wording.number(999) == "999"
                && Wording.number(-1000) == "−1,000")
        #expect(Wording.short(1_500) == "1.5k" && Wording.short(2_000_000) == "2M" && Wording.short(7) == "7")
        #expect(Wording.percent(1, of: 3) == "33.3 %" && Wording.percent(1, of: 0) == "–")
        #expect(Wording.seconds(1.55) == "1.5 s" && Wording.seconds(90) == "90 s" && Wording.seconds(7200) == "2 h")
        let moment = Wording.moment(try #require(WireTime("2026-11-04T08:05:09.123Z")))
        #expect(moment.text == "4 Nov 2026, 08:05" && moment.clock == "08:05:09 UTC")
        #expect(Wording.day("soon") == "soon" && Wording.shortDay("2026-13-01") == "2026-13-01")
    }
}
