import Foundation

/// An OpenAPI file of ours, read to hold a service to it: routes, codes, examples, and every answer down to its last member.
package struct APIContract: Sendable {
    package let document: ContractValue
    /// `GET /v1/…`, as the file describes them.
    package let operations: Set<String>
    private let routes: [Route]

    private struct Route: Sendable {
        let method: String
        let segments: [Substring]
        let operation: ContractValue
    }

    /// What the server says to any request, whatever its path: too slow, too long a head, a fault of its own.
    private static let general: Set<Int> = [408, 431, 500]

    /// Throws where the text is no YAML that ours may be, or has a key twice.
    package init(_ text: String) throws {
        document = try YAMLText.read(text)
        var routes: [Route] = []
        for (path, methods) in document["paths"]?.members ?? [:] {
            for (method, operation) in methods.members {
                routes.append(
                    Route(
                        method: method.uppercased(),
                        segments: path.split(separator: "/", omittingEmptySubsequences: false), operation: operation))
            }
        }
        self.routes = routes
        operations = Set(routes.map { "\($0.method) \($0.segments.joined(separator: "/"))" })
    }

    /// The published contract of another service, `api/<name>.yaml`.
    package init(ofService name: String) throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../../api/\(name).yaml").standardizedFileURL
        try self.init(String(contentsOf: root, encoding: .utf8))
    }

    /// The problem codes that the file lists.
    package var codes: [String] {
        document.at("components", "schemas", "Problem", "properties", "code", "enum")?.items.compactMap(\.text) ?? []
    }

    /// `POST /v1/… 415`: what the file does not say of a body that is too large (413) or of another type (415), where an
    /// operation takes one.
    package var unsaidOfBodies: [String] {
        routes.filter { $0.operation["requestBody"] != nil }.flatMap { route in
            ["413", "415"].filter { route.operation.at("responses", $0) == nil }
                .map { "\(route.method) \(route.segments.joined(separator: "/")) \($0)" }
        }.sorted()
    }

    private var check: SchemaCheck { SchemaCheck(document: document) }

    private func operation(_ method: String, _ path: some StringProtocol) -> ContractValue? {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        let fitting = routes.filter { route in
            route.method == method && route.segments.count == segments.count
                && zip(route.segments, segments).allSatisfy { $0.hasPrefix("{") || String($0) == String($1) }
        }
        // A path in full comes before one with a parameter.
        return fitting.min { first, second in
            first.segments.count { $0.hasPrefix("{") } < second.segments.count { $0.hasPrefix("{") }
        }?.operation
    }

    /// Where an answer is not what the file says of its operation: the status, the type, the document. Paths that the file
    /// does not have are none of its business.
    package func differences(
        _ method: String, _ target: String, status: Int, type: String?, body: [UInt8]
    ) -> [String] {
        let path = target.prefix { $0 != "?" }
        guard let operation = operation(method, path) else { return [] }
        let place = "\(method) \(path) \(status)"
        guard let response = operation.at("responses", String(status)).flatMap(check.resolve) else {
            guard Self.general.contains(status), let problem = document.at("components", "responses", "Problem") else {
                return ["\(place): the contract has no such status"]
            }
            return differences(body, type, in: problem, place)
        }
        return differences(body, type, in: response, place)
    }

    /// Throws if an answer is not what the file says of its operation.
    package func check(
        _ method: String, _ target: String, status: Int, headers: [(String, String)], body: [UInt8]
    ) throws {
        let type = headers.first { $0.0.lowercased() == "content-type" }?.1
        let found = differences(method, target, status: status, type: type, body: body)
        guard found.isEmpty else {
            throw ServiceTestError(
                "not the contract's answer: \(found.joined(separator: "; ")): \(String(decoding: body, as: UTF8.self))")
        }
    }

    private func differences(
        _ body: [UInt8], _ type: String?, in response: ContractValue, _ place: String
    ) -> [String] {
        let type = String((type ?? "").prefix { $0 != ";" })
        guard let content = response["content"] else {
            return body.isEmpty ? [] : ["\(place): a body where the contract has none"]
        }
        guard let media = content[type] else { return ["\(place): \(type) is no type of the contract"] }
        guard type.hasSuffix("json") else { return [] }
        guard let value = try? ContractValue(json: body) else { return ["\(place): not JSON"] }
        return check.differences(value, from: media["schema"] ?? .map([:]), at: place)
    }

    /// Examples and defaults that are not what their own schemas say, and references that lead nowhere.
    package var faults: [String] { faults(document, at: "", isSchemaNames: false) }

    private func faults(_ value: ContractValue, at place: String, isSchemaNames: Bool) -> [String] {
        var found: [String] = []
        if case .list(let items) = value {
            for (index, item) in items.enumerated() {
                found += faults(item, at: "\(place)[\(index)]", isSchemaNames: false)
            }
        }
        // Below `properties` the keys are members' names, whatever they are.
        let words = isSchemaNames ? [:] : value.members
        if words["$ref"] != nil, check.resolve(value) == nil { found.append("\(place): a reference to nothing") }
        for example in examples(of: words) {
            found += check.differences(example, from: words["schema"] ?? value, at: "\(place), an example")
        }
        if let usual = words["default"] {
            found += check.differences(usual, from: value, at: "\(place), the default")
        }
        for (key, inner) in value.members.sorted(by: { $0.key < $1.key }) {
            guard isSchemaNames || !["examples", "example", "default", "enum", "const"].contains(key) else { continue }
            found += faults(inner, at: "\(place)/\(key)", isSchemaNames: !isSchemaNames && key == "properties")
        }
        return found
    }

    /// The examples that stand beside a schema, or in it: a list, one, or named ones.
    private func examples(of words: [String: ContractValue]) -> [ContractValue] {
        let named = words["examples"]?.members.values.compactMap { $0["value"] } ?? []
        return (words["examples"]?.items ?? []) + named + (words["example"].map { [$0] } ?? [])
    }
}
