import Foundation

/// A value of JSON, or of the YAML that our OpenAPI files are written in.
package indirect enum ContractValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case list([ContractValue])
    case map([String: ContractValue])

    package subscript(_ key: String) -> ContractValue? {
        guard case .map(let members) = self else { return nil }
        return members[key]
    }

    /// A value by the keys that lead to it.
    package func at(_ path: String...) -> ContractValue? {
        path.reduce(self as ContractValue?) { $0?[$1] }
    }

    package var members: [String: ContractValue] {
        guard case .map(let members) = self else { return [:] }
        return members
    }

    package var items: [ContractValue] {
        guard case .list(let items) = self else { return [] }
        return items
    }

    package var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// What JSON Schema calls the value: an integer is a number too, but is named first.
    var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .string: "string"
        case .list: "array"
        case .map: "object"
        }
    }

    /// The value as JSON, members in order.
    package var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}

extension ContractValue: Codable {
    package init(json: [UInt8]) throws {
        self = try JSONDecoder().decode(ContractValue.self, from: Data(json))
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode([String: ContractValue].self) {
            self = .map(value)
        } else {
            self = .list(try container.decode([ContractValue].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .map(let value): try container.encode(value)
        }
    }
}
