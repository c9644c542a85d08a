extension AuditView.Row {
    /// Writes the row as HTML: a template would take as long for fifty of them as everything else takes.
    func write(to markup: inout Markup) {
        markup.raw("<tr><th scope=\"row\">")
        if let at { markup.time(at) }
        markup.raw("</th>")
        markup.cell("Who") { cell in
            guard let whoPath else { return cell.text(who) }
            cell.raw("<a")
            cell.attribute("href", whoPath)
            cell.raw(">")
            cell.element("code", who)
            cell.raw("</a>")
        }
        markup.cell("What") { cell in
            cell.raw("<span>")
            cell.text(what)
            if let change {
                cell.raw(" ")
                cell.element("span", class: "quiet", "(\(change))")
            }
            if let outcome {
                cell.raw(" ")
                cell.element("span", class: "badge \(outcomeTone)", outcome)
            }
            cell.raw("</span>")
        }
        markup.cell("Target") { cell in
            cell.raw(targetPath == nil ? "<span" : "<a")
            if let targetPath { cell.attribute("href", targetPath) }
            cell.attribute("title", targetID)
            cell.raw(">")
            cell.text("\(targetKind) ")
            cell.element("code", targetName)
            cell.raw(targetPath == nil ? "</span>" : "</a>")
        }
        markup.cell("Reason", class: "wrap") { cell in
            if let reason { cell.text(reason) } else { cell.element("span", class: "quiet", "–") }
        }
        markup.cell("Network") { $0.element("code", address) }
        markup.raw("</tr>\n")
    }
}
