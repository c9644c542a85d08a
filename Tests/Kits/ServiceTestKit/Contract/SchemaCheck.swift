import Foundation

/// Compares values with the schemas of one OpenAPI file, and says every place where they differ.
///
/// An object has the members that its schema names and no others, whether or not `additionalProperties` says so: a reader of
/// the file must not meet what it does not tell. A keyword that is not known here is a difference too, never passed over.
struct SchemaCheck {
    let document: ContractValue

    private static let annotations: Set<String> = ["description", "examples", "default", "deprecated"]
    private static let keywords: Set<String> = [
        "$ref", "type", "enum", "const", "format", "pattern", "required", "properties", "additionalProperties", "items",
        "allOf", "minLength", "maxLength", "minimum", "maximum",
    ]

    /// What a reference leads to.
    func resolve(_ value: ContractValue) -> ContractValue? {
        guard let reference = value["$ref"]?.text else { return value }
        guard reference.hasPrefix("#/") else { return nil }
        let place = reference.dropFirst(2).split(separator: "/").reduce(document as ContractValue?) { $0?[String($1)] }
        return place.flatMap(resolve)
    }

    /// Where the value is not what the schema says; `place` is the value's name in the report.
    func differences(_ value: ContractValue, from schema: ContractValue, at place: String) -> [String] {
        var found: [String] = []
        guard let parts = parts(of: schema) else { return ["\(place): the schema refers to nothing"] }
        for part in parts {
            for word in part.members.keys where !Self.keywords.contains(word) && !Self.annotations.contains(word) {
                found.append("\(place): the schema's word \(word) is not understood")
            }
            found += scalarDifferences(value, part, place)
        }
        switch value {
        case .map(let members): found += objectDifferences(members, parts, place)
        case .list(let items):
            for case let schema? in parts.map({ $0["items"] }) {
                for (index, item) in items.enumerated() {
                    found += differences(item, from: schema, at: "\(place)[\(index)]")
                }
            }
        default: break
        }
        return found
    }

    /// The schema itself and all that it is made of by `allOf`; nil if a reference leads nowhere.
    private func parts(of schema: ContractValue) -> [ContractValue]? {
        guard let schema = resolve(schema) else { return nil }
        var all = [schema]
        for part in schema["allOf"]?.items ?? [] {
            guard let inner = parts(of: part) else { return nil }
            all += inner
        }
        return all
    }

    private func objectDifferences(
        _ members: [String: ContractValue], _ parts: [ContractValue], _ place: String
    ) -> [String] {
        // A schema without a word takes anything.
        guard parts.contains(where: { !$0.members.isEmpty }) else { return [] }
        var found: [String] = []
        var known: [String: [ContractValue]] = [:]
        for part in parts {
            for (name, schema) in part["properties"]?.members ?? [:] { known[name, default: []].append(schema) }
            for name in part["required"]?.items.compactMap(\.text) ?? [] where members[name] == nil {
                found.append("\(place) lacks \(name)")
            }
        }
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            guard let schemas = known[name] else {
                found.append("\(place) has \(name), of which the contract does not know")
                continue
            }
            for schema in schemas { found += differences(value, from: schema, at: "\(place).\(name)") }
        }
        return found
    }

    private func scalarDifferences(_ value: ContractValue, _ schema: ContractValue, _ place: String) -> [String] {
        var found: [String] = []
        if let type = schema["type"] {
            let types = (type.text.map { [$0] } ?? type.items.compactMap(\.text))
            let fits = types.contains(value.typeName) || (value.typeName == "integer" && types.contains("number"))
            if !fits { found.append("\(place) is \(value.typeName), not \(types.joined(separator: " or "))") }
        }
        if let allowed = schema["enum"]?.items, !allowed.contains(value) {
            found.append("\(place) is \(value.json), none of \(allowed.map(\.json).joined(separator: " "))")
        }
        if let constant = schema["const"], constant != value {
            found.append("\(place) is \(value.json), not \(constant.json)")
        }
        if case .string(let text) = value { found += textDifferences(text, schema, place) }
        if case .integer(let number) = value {
            if case .integer(let least)? = schema["minimum"], number < least {
                found.append("\(place) is below \(least)")
            }
            if case .integer(let most)? = schema["maximum"], number > most { found.append("\(place) is above \(most)") }
        }
        return found
    }

    private func textDifferences(_ text: String, _ schema: ContractValue, _ place: String) -> [String] {
        var found: [String] = []
        if case .integer(let least)? = schema["minLength"], text.unicodeScalars.count < least {
            found.append("\(place) is shorter than \(least)")
        }
        if case .integer(let most)? = schema["maxLength"], text.unicodeScalars.count > most {
            found.append("\(place) is longer than \(most)")
        }
        if let pattern = schema["pattern"]?.text, text.range(of: pattern, options: .regularExpression) == nil {
            found.append("\(place) does not match \(pattern)")
        }
        if let format = schema["format"]?.text {
            switch Self.isOf(format, text) {
            case .some(true): break
            case .some(false): found.append("\(place) is no \(format): \(text)")
            case .none: found.append("\(place): the schema's format \(format) is not understood")
            }
        }
        return found
    }

    /// Whether a text has a format; nil if the format is not known.
    private static func isOf(_ format: String, _ text: String) -> Bool? {
        let day = #"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"#
        let time = #"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?"#
        let pattern: String
        switch format {
        case "uuid": pattern = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
        case "date": pattern = day
        // Times are UTC everywhere in the contract.
        case "date-time": pattern = day + "T" + time + "Z"
        case "uri-reference": pattern = #"[!-~]+"#
        default: return nil
        }
        return text.range(of: "^\(pattern)$", options: .regularExpression) != nil
    }
}
