extension Markup {
    /// A cell of a table that on a narrow screen carries the title of its column.
    mutating func cell(_ title: String, class kind: String? = nil, _ content: (inout Markup) -> Void) {
        raw("<td data-label=\"")
        text(title)
        raw("\"")
        if let kind { attribute("class", kind) }
        raw(">")
        content(&self)
        raw("</td>")
    }

    /// An element with a text in it.
    mutating func element(_ name: String, class kind: String? = nil, _ content: String) {
        raw("<\(name)")
        if let kind { attribute("class", kind) }
        raw(">")
        text(content)
        raw("</\(name)>")
    }

    /// A moment, to the minute.
    mutating func time(_ moment: Wording.Moment) {
        raw("<time")
        attribute("datetime", moment.machine)
        raw(">")
        text(moment.text)
        raw("</time>")
    }

    /// ` name="value"`, escaped.
    mutating func attribute(_ name: String, _ value: String) {
        raw(" \(name)=\"")
        text(value)
        raw("\"")
    }
}
