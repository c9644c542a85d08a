/// One SQL statement with its values, as a value.
///
/// Interpolation binds: `"SELECT name FROM users WHERE id = \(id)"` becomes `… WHERE id = $1` with a typed, binary
/// parameter, so that no value can become SQL. Text is inserted only by `\(unescaped:)`, loud on purpose.
package struct PostgresQuery: Sendable, ExpressibleByStringInterpolation {
    /// The statement as the server sees it, with `$n` where values were.
    package private(set) var sql: String
    var parameters: PostgresParameters

    package init(stringLiteral value: String) {
        sql = value
        parameters = PostgresParameters()
    }

    package init(stringInterpolation: StringInterpolation) {
        sql = stringInterpolation.sql
        parameters = stringInterpolation.parameters
    }

    /// A statement from text that the program itself wrote (a migration, a benchmark); never from outside.
    package init(unescaped sql: String) {
        self.sql = sql
        parameters = PostgresParameters()
    }

    package struct StringInterpolation: StringInterpolationProtocol, Sendable {
        fileprivate var sql: String
        fileprivate var parameters: PostgresParameters

        package init(literalCapacity: Int, interpolationCount: Int) {
            sql = ""
            sql.reserveCapacity(literalCapacity + interpolationCount * 3)
            parameters = PostgresParameters()
            parameters.reserve(interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) { sql += literal }

        /// Binds a value.
        package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value) {
            parameters.append(value)
            appendPlaceholder()
        }

        /// Binds a value or NULL.
        package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
            if let value { parameters.append(value) } else { parameters.appendNull(Value.postgresType) }
            appendPlaceholder()
        }

        /// Inserts text as it is: a column list or another fragment that the program itself wrote.
        package mutating func appendInterpolation(unescaped text: String) { sql += text }

        private mutating func appendPlaceholder() {
            sql += "$"
            sql += String(parameters.count)
        }
    }
}

/// The values of one statement, encoded in the server's binary format, end to end in one buffer.
struct PostgresParameters: Sendable {
    private(set) var types: [PostgresType] = []
    /// Length of each value in bytes; −1 is NULL.
    private(set) var lengths: [Int32] = []
    private(set) var bytes: [UInt8] = []

    var count: Int { types.count }

    mutating func reserve(_ count: Int) {
        types.reserveCapacity(count)
        lengths.reserveCapacity(count)
        bytes.reserveCapacity(count * 16)
    }

    mutating func append<Value: PostgresEncodable>(_ value: Value) {
        let start = bytes.count
        value.encode(into: &bytes)
        types.append(Value.postgresType)
        lengths.append(Int32(clamping: bytes.count - start))
    }

    mutating func appendNull(_ type: PostgresType) {
        types.append(type)
        lengths.append(-1)
    }
}
