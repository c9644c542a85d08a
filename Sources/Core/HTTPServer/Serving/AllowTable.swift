import HTTPTypes
import Hummingbird

/// Which methods a path has: Hummingbird answers 404 for a known path with another method, RFC 9110 §15.5.6 wants 405.
struct AllowTable: Sendable {
    private let entries: [(path: RouterPath, methods: [HTTPRequest.Method])]

    init(routes: [(path: RouterPath, method: HTTPRequest.Method)]) {
        var entries: [(path: RouterPath, methods: [HTTPRequest.Method])] = []
        for (path, method) in routes {
            if let index = entries.firstIndex(where: { $0.path == path }) {
                entries[index].methods.append(method)
            } else {
                entries.append((path, [method]))
            }
        }
        self.entries = entries
    }

    /// The value of `Allow` for a path; nil if no route has it.
    func methods(for path: String) -> String? {
        let components = path.prefix { $0 != "?" }.split(separator: "/")
        var names: Set<String> = []
        for entry in entries where Self.matches(entry.path, components) {
            names.formUnion(entry.methods.map(\.rawValue))
        }
        guard !names.isEmpty else { return nil }
        if names.contains("GET") { names.insert("HEAD") }
        return names.sorted().joined(separator: ", ")
    }

    private static func matches(_ path: RouterPath, _ components: [Substring]) -> Bool {
        for (index, element) in path.components.enumerated() {
            if element == .recursiveWildcard { return index < components.count }
            guard index < components.count, element ~= components[index] else { return false }
        }
        return path.components.count == components.count
    }
}
