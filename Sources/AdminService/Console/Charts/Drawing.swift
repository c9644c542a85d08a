import Mustache

extension Plot {
    /// What is inside of the SVG: grid, days, shapes, and the strips that show a day's figures.
    var drawing: String {
        var svg = Markup()
        for line in grid {
            svg.raw(
                #"<path class="grid" d="M\#(left) \#(line.y)H\#(right)"/><text class="mark" x="\#(labelX)" y="\#(line.labelY)" text-anchor="end">"#
            )
            svg.text(line.label)
            svg.raw("</text>\n")
        }
        for day in days {
            svg.raw(#"<text class="mark" x="\#(day.x)" y="\#(dayY)" text-anchor="middle">"#)
            svg.text(day.label)
            svg.raw("</text>\n")
        }
        for shape in shapes {
            let kind = shape.isFilled ? (shape.isArea ? "area" : "bar") : "line"
            let soFar = shape.isSoFar ? " so-far" : ""
            svg.raw("<path class=\"\(kind) series-\(shape.style)\(soFar)\" d=\"\(shape.path)\"/>\n")
        }
        for column in columns {
            svg.raw("<g class=\"column\"><title>")
            svg.text(column.title)
            svg.raw(#"</title><rect x="\#(column.x)" y="\#(top)" width="\#(column.width)" height="\#(plotHeight)"/>"#)
            svg.raw(#"<path class="guide" d="M\#(column.centre) \#(top)V\#(bottom)"/>"#)
            for dot in column.dots {
                svg.raw(#"<circle class="series-\#(dot.style)" cx="\#(column.centre)" cy="\#(dot.y)" r="3.5"/>"#)
            }
            svg.raw("</g>\n")
        }
        return svg.html
    }
}

extension Plot: MustacheParent {
    func child(named name: String) -> Any? {
        switch name {
        case "name": self.name
        case "width": width
        case "height": height
        case "drawing": drawing
        default: nil
        }
    }
}

extension ChartView {
    /// The rows of the table with the same figures.
    var table: String {
        var html = Markup()
        for row in rows {
            html.raw("<tr><th scope=\"row\">")
            html.text(row.day)
            html.raw("</th>")
            for cell in row.cells {
                html.raw("<td class=\"number\">")
                html.text(cell)
                html.raw("</td>")
            }
            html.raw("</tr>\n")
        }
        return html.html
    }
}

extension ChartView: MustacheParent {
    func child(named name: String) -> Any? {
        switch name {
        case "id": id
        case "title": title
        case "summary": summary
        case "legend": legend.map { Members.seen($0) ?? $0 }
        case "hasLegend": hasLegend
        case "plots": plots
        case "headings": headings
        case "table": table
        default: nil
        }
    }
}
