/// Reads the part of YAML that our OpenAPI files use: block and flow collections, quoted and plain scalars, `|` texts,
/// anchors and aliases. What it does not know, and a key that a mapping has twice, it refuses.
struct YAMLText {
    private var lines: [(number: Int, indent: Int, text: Substring)] = []
    private var next = 0
    private var anchors: [String: ContractValue] = [:]

    static func read(_ text: String) throws -> ContractValue {
        var reader = YAMLText()
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let body = line.drop { $0 == " " }
            reader.lines.append((index + 1, line.count - body.count, body))
        }
        let value = try reader.block(at: 0)
        if let line = reader.peek() { throw reader.fault("unexpected \(line.text)") }
        return value
    }

    private func fault(_ what: String) -> ServiceTestError {
        ServiceTestError("YAML, line \(next < lines.count ? lines[next].number : lines.count): \(what)")
    }

    /// The next line that says something.
    private mutating func peek() -> (number: Int, indent: Int, text: Substring)? {
        while next < lines.count, lines[next].text.isEmpty || lines[next].text.hasPrefix("#") { next += 1 }
        return next < lines.count ? lines[next] : nil
    }

    private mutating func block(at indent: Int) throws -> ContractValue {
        guard let line = peek() else { throw fault("nothing where a value should be") }
        return line.text.hasPrefix("- ") ? try list(at: indent) : try mapping(at: indent)
    }

    private mutating func list(at indent: Int) throws -> ContractValue {
        var items: [ContractValue] = []
        while let line = peek(), line.indent == indent, line.text.hasPrefix("- ") {
            let rest = line.text.dropFirst(2).drop { $0 == " " }
            if Self.key(rest) != nil {
                let inner = indent + line.text.count - rest.count
                lines[next] = (line.number, inner, rest)
                items.append(try mapping(at: inner))
            } else {
                next += 1
                items.append(try value(rest, below: indent))
            }
        }
        return .list(items)
    }

    private mutating func mapping(at indent: Int) throws -> ContractValue {
        var members: [String: ContractValue] = [:]
        while let line = peek(), line.indent == indent, !line.text.hasPrefix("- ") {
            guard let (key, rest) = Self.key(line.text) else { throw fault("no key in \(line.text)") }
            guard members[key] == nil else { throw fault("\(key) is there twice") }
            next += 1
            members[key] = try value(rest, below: indent)
        }
        if let line = peek(), line.indent > indent { throw fault("unexpected \(line.text)") }
        return .map(members)
    }

    /// The key that a line begins with, and what follows its colon.
    private static func key(_ text: Substring) -> (String, Substring)? {
        guard let match = text.prefixMatch(of: /('[^']*'|"[^"]*"|[^\s'"\{\}\[\],#&*|][^\s#]*?):(?: +|$)/) else {
            return nil
        }
        return (String(match.1).trimmed(of: "'\""), text[match.range.upperBound...])
    }

    private mutating func value(_ text: Substring, below indent: Int) throws -> ContractValue {
        if text.hasPrefix("&") {
            let name = text.dropFirst().prefix { $0 != " " }
            let value = try value(text.dropFirst(name.count + 1).drop { $0 == " " }, below: indent)
            anchors[String(name)] = value
            return value
        }
        if text.hasPrefix("*") {
            guard let value = anchors[String(text.dropFirst())] else { throw fault("no anchor \(text)") }
            return value
        }
        if text == "|" { return literal(below: indent) }
        if text.isEmpty {
            guard let line = peek(), line.indent > indent else { return .null }
            return try block(at: line.indent)
        }
        if let first = text.first, "{[".contains(first) {
            var flow = FlowText(String(text))
            while flow.isOpen, next < lines.count {
                flow.add(lines[next].text)
                next += 1
            }
            return try flow.read(fault)
        }
        if let line = peek(), line.indent > indent { throw fault("a scalar of several lines") }
        var flow = FlowText(String(text))
        return try flow.readScalar(fault)
    }

    private mutating func literal(below indent: Int) -> ContractValue {
        var taken: [(indent: Int, text: Substring)] = []
        while next < lines.count, lines[next].text.isEmpty || lines[next].indent > indent {
            taken.append((lines[next].indent, lines[next].text))
            next += 1
        }
        while taken.last?.text.isEmpty == true { taken.removeLast() }
        let margin = taken.first?.indent ?? 0
        let texts = taken.map { String(repeating: " ", count: max(0, $0.indent - margin)) + $0.text }
        return .string(texts.joined(separator: "\n") + "\n")
    }
}

extension String {
    fileprivate func trimmed(of quotes: String) -> String {
        guard let first, quotes.contains(first), count >= 2 else { return self }
        return String(dropFirst().dropLast())
    }
}
