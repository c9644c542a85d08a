package import Hummingbird

/// The parameters of a query (`?a=1&b=2`).
package struct QueryFields: Sendable {
    fileprivate let values: [String: String]

    /// The text of a parameter; nil if it is absent or empty.
    package func string(_ name: String) -> String? {
        guard let value = values[name], !value.isEmpty else { return nil }
        return value
    }

    /// A whole number within a range. Throws `invalid-request` if it is something else.
    package func integer(_ name: String, default value: Int, in range: ClosedRange<Int>) throws(Problem) -> Int {
        guard let text = string(name) else { return value }
        guard text.utf8.count <= 19, let number = Int(text), range.contains(number) else {
            throw .invalid(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A parameter as a value of its type; nil if it is absent. Throws `invalid-request` with what was expected.
    package func parsed<Value>(
        _ name: String, _ expected: String, _ parse: (String) -> Value?
    ) throws(Problem) -> Value? {
        guard let text = string(name) else { return nil }
        guard let value = parse(text) else { throw .invalid(name, "must be \(expected)") }
        return value
    }
}

/// The fields of a form.
package struct FormFields: Sendable {
    fileprivate let values: [String: String]

    /// The text of a field; nil if it is absent.
    package subscript(_ name: String) -> String? { values[name] }
}

extension Request {
    /// The parameters of the query. Throws `invalid-request` for broken escapes, invalid UTF-8, NUL, a name twice, or more than 64.
    package var query: QueryFields {
        get throws(Problem) {
            guard let query = head.path?.utf8.firstIndex(of: UInt8(ascii: "?")), let path = head.path else {
                return QueryFields(values: [:])
            }
            let text = path[path.utf8.index(after: query)...].prefix { $0 != "#" }
            return QueryFields(values: try Self.fields(text))
        }
    }

    /// Reads the body as a form. Throws `unsupported-media-type` unless it is `application/x-www-form-urlencoded`,
    /// `payload-too-large` beyond 16 KiB, and `invalid-request` as for a query.
    package func form() async throws -> FormFields {
        try requireMediaType("application/x-www-form-urlencoded")
        guard let text = String(validating: try await bytes(), as: UTF8.self) else {
            throw Problem.invalid("", "must be UTF-8")
        }
        return FormFields(values: try Self.fields(text[...]))
    }

    private static func fields(_ text: Substring) throws(Problem) -> [String: String] {
        var values: [String: String] = [:]
        for pair in text.split(separator: "&", maxSplits: 64) {
            guard values.count < 64 else { throw .invalid("", "has too many fields") }
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(parts[0], plusIsSpace: true),
                let value = PercentEncoding.decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
            else { throw .invalid("", "must be percent-encoded UTF-8 without NUL") }
            guard values.updateValue(value, forKey: name) == nil else {
                throw .invalid(FieldName.printable(name), "must not come twice")
            }
        }
        return values
    }
}
