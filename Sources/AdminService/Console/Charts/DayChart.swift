/// Figures by day, to be drawn as lines or bars, with the same figures as a table.
struct DayChart: Sendable {
    enum Form: Sendable { case lines, bars }
    enum Unit: Sendable { case count, percent }

    struct Series: Sendable {
        let name: String
        /// `a` to `d`: colour and dash pattern, told apart without colours too.
        let style: String
        let values: [Double]
        /// Days on which there is nothing to say; drawn as zero.
        private let absent: Set<Int>

        /// What is no number counts as zero.
        init(name: String, style: String, values: [Double?]) {
            self.name = name
            self.style = style
            self.values = values.map { $0.flatMap { $0.isFinite ? $0 : nil } ?? 0 }
            absent = Set(values.indices.filter { values[$0] == nil })
        }

        /// The value of a day; nil if there is none.
        func value(_ day: Int) -> Double? {
            values.indices.contains(day) && !absent.contains(day) ? values[day] : nil
        }
    }

    let id: String
    let title: String
    /// What the chart tells in a sentence, for those who do not see it.
    let summary: String
    let days: [String]
    let series: [Series]
    var form = Form.lines
    var unit = Unit.count

    /// A figure as the table and the strip of its day have it.
    func text(_ series: Series, _ day: Int) -> String {
        guard let value = series.value(day) else { return "–" }
        return switch unit {
        case .count: Wording.number(Int(min(max(value, -9e15), 9e15)))
        case .percent: Wording.percent(value)
        }
    }

    /// The day; of the last one, which runs, there are only the figures so far.
    func name(ofDay index: Int) -> String {
        guard days.indices.contains(index) else { return "" }
        return Wording.day(days[index]) + (index == days.count - 1 ? ", so far" : "")
    }

    func mark(_ value: Double) -> String {
        switch unit {
        case .count: Wording.short(Int(min(value, 9e15)))
        case .percent: "\(Int((value * 100).rounded())) %"
        }
    }

    var scale: AxisScale {
        let highest = series.flatMap(\.values).max() ?? 0
        return unit == .percent
            ? AxisScale(highest: min(max(highest, 0.05), 1), smallest: 0.01) : AxisScale(highest: highest)
    }
}

/// A chart as its template wants it: drawn for a wide and for a narrow screen, and as a table.
struct ChartView: Sendable {
    struct Legend: Sendable {
        let name: String
        let style: String
    }

    struct Row: Sendable {
        let day: String
        let cells: [String]
    }

    let id: String
    let title: String
    let summary: String
    let legend: [Legend]
    let hasLegend: Bool
    let plots: [Plot]
    let headings: [String]
    let rows: [Row]

    init(_ chart: DayChart) {
        id = chart.id
        title = chart.title
        summary = chart.summary
        legend = chart.series.map { Legend(name: $0.name, style: $0.style) }
        hasLegend = chart.series.count > 1
        plots = [
            Plot(chart, name: "wide", width: 500, height: 204, days: 7),
            Plot(chart, name: "narrow", width: 340, height: 210, days: 4),
        ]
        headings = chart.series.map(\.name)
        rows = chart.days.indices.reversed().map { index in
            Row(
                day: chart.name(ofDay: index),
                cells: chart.series.map { chart.text($0, index) })
        }
    }
}
