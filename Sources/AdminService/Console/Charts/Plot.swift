/// A chart as shapes of an SVG of a certain size. All numbers are texts with at most one decimal.
struct Plot: Sendable {
    struct GridLine: Sendable {
        let y: String
        let labelY: String
        let label: String
    }

    struct DayMark: Sendable {
        let x: String
        let label: String
    }

    struct Shape: Sendable {
        let style: String
        /// The outline; filled where it is an area or bars.
        let path: String
        let isFilled: Bool
        let isArea: Bool
        /// Whether it is the running day, of which there are only the figures so far.
        var isSoFar = false
    }

    struct Dot: Sendable {
        let y: String
        let style: String
    }

    /// The strip of one day, which shows its figures when pointed at.
    struct Column: Sendable {
        let x: String
        let width: String
        let centre: String
        let title: String
        let dots: [Dot]
    }

    let name: String
    let width: String
    let height: String
    let left: String
    let right: String
    let labelX: String
    let top: String
    let bottom: String
    let plotHeight: String
    let dayY: String
    let grid: [GridLine]
    let days: [DayMark]
    let shapes: [Shape]
    let columns: [Column]

    /// - Parameter days: at most so many days are named.
    init(_ chart: DayChart, name: String, width: Double, height: Double, days: Int) {
        let area = Area(
            left: 44, right: width - 6, top: 10, bottom: height - 26, count: chart.days.count,
            maximum: chart.scale.maximum)
        self.name = name
        self.width = Self.text(width)
        self.height = Self.text(height)
        left = Self.text(area.left)
        right = Self.text(area.right)
        labelX = Self.text(area.left - 8)
        top = Self.text(area.top)
        bottom = Self.text(area.bottom)
        plotHeight = Self.text(area.bottom - area.top)
        dayY = Self.text(height - 8)
        grid = chart.scale.marks.map { value in
            GridLine(
                y: Self.text(area.y(value)), labelY: Self.text(area.y(value) + 4), label: chart.mark(value))
        }
        self.days = Self.marks(chart.days, area, atMost: days)
        shapes = chart.series.enumerated().flatMap { index, series in
            switch chart.form {
            case .lines: Self.line(series, area, fills: index == 0)
            case .bars: Self.bars(series, index, of: chart.series.count, area)
            }
        }
        columns = chart.days.indices.map { index in Self.column(chart, index, area) }
    }

    /// Where values are in the picture.
    private struct Area {
        let left: Double
        let right: Double
        let top: Double
        let bottom: Double
        let count: Int
        let maximum: Double

        var step: Double { (right - left) / Double(max(count, 1)) }
        func x(_ index: Int) -> Double { left + (Double(index) + 0.5) * step }
        func y(_ value: Double) -> Double {
            bottom - (bottom - top) * min(max(value / maximum, 0), 1)
        }
    }

    private static func marks(_ days: [String], _ area: Area, atMost limit: Int) -> [DayMark] {
        let every = max(1, (days.count + limit - 1) / limit)
        // Counted from today, so that today is named.
        return days.indices.filter { (days.count - 1 - $0).isMultiple(of: every) }.map { index in
            DayMark(x: text(min(area.x(index), area.right - 16)), label: Wording.shortDay(days[index]))
        }
    }

    private static func line(_ series: DayChart.Series, _ area: Area, fills: Bool) -> [Shape] {
        let all = series.values.prefix(area.count).enumerated().map { index, value in
            "\(text(area.x(index))) \(text(area.y(value)))"
        }
        guard let first = all.first, let last = all.last else { return [] }
        // A single point would be no line.
        guard all.count > 1 else {
            return [Shape(style: series.style, path: "M\(first)h0.1", isFilled: false, isArea: false, isSoFar: true)]
        }
        let points = all.dropLast()
        let outline = points.count == 1 ? "M\(first)h0.1" : "M" + points.joined(separator: "L")
        let lines = [
            Shape(style: series.style, path: outline, isFilled: false, isArea: false),
            Shape(
                style: series.style, path: "M\(points.last ?? first)L\(last)", isFilled: false, isArea: false,
                isSoFar: true),
        ]
        guard fills, points.count > 1 else { return lines }
        let closed =
            "\(outline)L\(text(area.x(points.count - 1))) \(text(area.bottom))L\(text(area.x(0))) \(text(area.bottom))Z"
        return [Shape(style: series.style, path: closed, isFilled: true, isArea: true)] + lines
    }

    private static func bars(_ series: DayChart.Series, _ index: Int, of count: Int, _ area: Area) -> [Shape] {
        let group = min(area.step * 0.72, 34)
        let width = group / Double(max(count, 1))
        let bars = series.values.prefix(area.count).enumerated().filter { $0.element > 0 }
        func path(_ bars: some Sequence<(offset: Int, element: Double)>) -> String {
            bars.map { day, value in
                let x = area.x(day) - group / 2 + Double(index) * width
                let y = min(area.y(value), area.bottom - 1)
                return "M\(text(x)) \(text(area.bottom))V\(text(y))h\(text(width))V\(text(area.bottom))Z"
            }.joined()
        }
        let last = area.count - 1
        return [
            Shape(
                style: series.style, path: path(bars.filter { $0.offset < last }), isFilled: true, isArea: false),
            Shape(
                style: series.style, path: path(bars.filter { $0.offset == last }), isFilled: true, isArea: false,
                isSoFar: true),
        ].filter { !$0.path.isEmpty }
    }

    private static func column(_ chart: DayChart, _ index: Int, _ area: Area) -> Column {
        let figures = chart.series.filter { index < $0.values.count }
        let lines = figures.map { "\($0.name): \(chart.text($0, index))" }
        return Column(
            x: text(area.left + Double(index) * area.step), width: text(area.step), centre: text(area.x(index)),
            title: ([chart.name(ofDay: index)] + lines).joined(separator: "\n"),
            dots: chart.form == .bars ? [] : figures.map { Dot(y: text(area.y($0.values[index])), style: $0.style) })
    }

    /// A number with at most one decimal.
    static func text(_ value: Double) -> String {
        guard value.isFinite else { return "0" }
        let tenths = Int((min(max(value, -1e6), 1e6) * 10).rounded())
        return tenths.isMultiple(of: 10)
            ? String(tenths / 10) : "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }
}

/// A line of a few strokes beside a figure: how it went, without numbers.
struct Sparkline: Sendable {
    let line: String
    let area: String

    /// The last value is of the running day, which would look like a fall, and is left out. Nil for fewer than two others.
    init?(_ days: [Double]) {
        let values = days.dropLast()
        guard values.count > 1, let highest = values.max() else { return nil }
        let step = 96 / Double(values.count - 1)
        let points = values.enumerated().map { index, value in
            "\(Plot.text(Double(index) * step)) \(Plot.text(26 - 24 * (highest > 0 ? max(value, 0) / highest : 0)))"
        }
        line = "M" + points.joined(separator: "L")
        area = line + "L96 28L0 28Z"
    }
}
