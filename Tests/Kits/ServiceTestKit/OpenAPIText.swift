/// What tests ask of an OpenAPI file, without a reader of YAML: ours are written by hand, a key a line.
package struct OpenAPIText: Sendable {
    /// `GET /v1/…`, as the file describes them.
    package private(set) var operations: Set<String> = []
    /// Keys that a mapping has twice, with their lines. Most readers keep the last and forget the first without a word.
    package private(set) var repeatedKeys: [String] = []
    /// References to parts that the file does not have.
    package var danglingReferences: Set<String> { references.subtracting(parts) }

    private var references: Set<String> = []
    private var parts: Set<String> = []

    package init(_ text: String) {
        var open: [(indent: Int, key: String, keys: Set<String>)] = []
        var scalarIndent: Int?
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            for match in line.matches(of: /#\/components\/[A-Za-z]+\/[A-Za-z]+/) { references.insert(String(match.0)) }
            let indent = line.prefix { $0 == " " }.count
            if let outer = scalarIndent {
                // The lines of a text that began with `|`.
                if line.allSatisfy({ $0 == " " }) || indent > outer { continue }
                scalarIndent = nil
            }
            guard let match = line.wholeMatch(of: /( *)(- )?('[^']*'|\/\S+|[^\s:#{}\[\],]+):(?: (.*))?/) else {
                continue
            }
            let depth = indent + (match.2 == nil ? 0 : 2)
            let key = String(match.3)
            // A dash begins a new mapping, even at the depth of the one before.
            open.removeAll { $0.indent > depth || (match.2 != nil && $0.indent == depth) }
            if open.last?.indent != depth { open.append((depth, key, [])) }
            if !open[open.count - 1].keys.insert(key).inserted { repeatedKeys.append("\(index + 1): \(key)") }
            open[open.count - 1].key = key
            if match.4 == "|" { scalarIndent = indent }
            note(open.map(\.key))
        }
    }

    /// Takes what the keys from the outermost to the present one mean.
    private mutating func note(_ keys: [String]) {
        guard keys.count == 3 else { return }
        if keys[0] == "components" { parts.insert("#/" + keys.joined(separator: "/")) }
        if keys[0] == "paths", ["get", "post", "put", "patch", "delete"].contains(keys[2]) {
            operations.insert("\(keys[2].uppercased()) \(keys[1])")
        }
    }
}
