package import Postgres

extension PostgresRows {
    /// The first column of every row.
    package func column<Value: PostgresDecodable>(_: Value.Type) throws -> [Value] {
        try map { row in try row.decode(column: 0, as: Value.self) }
    }
}
