import CLibPQ

/// The rows that one statement returned, decoded when they are asked for.
package struct PostgresRows: RandomAccessCollection, Sendable {
    let result: PostgresResult

    package var startIndex: Int { 0 }
    package var endIndex: Int { result.rowCount }
    package subscript(position: Int) -> PostgresRow {
        precondition(position >= 0 && position < result.rowCount, "row index out of range")
        return PostgresRow(result: result, index: Int32(position))
    }

    /// How many rows the statement inserted, updated, deleted or returned.
    package var affectedRows: Int { result.affectedRows }

    /// The statement's command tag, such as `COMMIT` or `INSERT 0 1`.
    var commandTag: String { result.commandTag }
}

/// One row of a result.
package struct PostgresRow: Sendable {
    let result: PostgresResult
    let index: Int32

    /// Decodes the columns by position: `let (id, name) = try row.decode((UUID, String?).self)`.
    ///
    /// Throws `.decoding` when the row has another number of columns, or one of another type or NULL.
    package func decode<each Column: PostgresDecodable>(
        _: (repeat each Column).Type = (repeat each Column).self
    ) throws(PostgresError) -> (repeat each Column) {
        var column: Int32 = -1
        let values = (repeat try next((each Column).self, &column))
        guard column + 1 == result.columnCount else {
            throw PostgresError(.decoding, "\(result.columnCount) columns where \(column + 1) were expected")
        }
        return values
    }

    /// Decodes one column by its position, counted from zero.
    package func decode<Column: PostgresDecodable>(
        column: Int, as type: Column.Type = Column.self
    ) throws(PostgresError) -> Column {
        guard column >= 0, column < Int(result.columnCount) else {
            throw PostgresError(.decoding, "there is no column \(column)")
        }
        return try withExtendedLifetime(result) { () throws(PostgresError) in
            try Column.decode(result.cell(row: index, column: Int32(column)))
        }
    }

    private func next<Column: PostgresDecodable>(
        _: Column.Type, _ column: inout Int32
    ) throws(PostgresError) -> Column {
        column += 1
        return try decode(column: Int(column), as: Column.self)
    }
}

/// Owns a `PGresult`. Reading one from any thread is safe (libpq manual, 34.21); nobody writes it.
final class PostgresResult: @unchecked Sendable {
    private let pointer: OpaquePointer
    let rowCount: Int
    let columnCount: Int32

    init(owning pointer: OpaquePointer) {
        self.pointer = pointer
        rowCount = Int(PQntuples(pointer))
        columnCount = PQnfields(pointer)
    }

    deinit { PQclear(pointer) }

    func cell(row: Int32, column: Int32) -> PostgresCell {
        let type = PostgresType(rawValue: PQftype(pointer, column))
        guard PQgetisnull(pointer, row, column) == 0, let value = PQgetvalue(pointer, row, column) else {
            return PostgresCell(bytes: nil, type: type)
        }
        let length = Int(PQgetlength(pointer, row, column))
        return PostgresCell(bytes: UnsafeRawBufferPointer(start: value, count: length), type: type)
    }

    var affectedRows: Int {
        guard let text = PQcmdTuples(pointer) else { return 0 }
        return Int(String(cString: text)) ?? 0
    }

    var commandTag: String {
        guard let text = PQcmdStatus(pointer) else { return "" }
        return String(cString: text)
    }

    var error: PostgresError {
        let state = field(Int32(UInt8(ascii: "C"))).map(SQLState.init(rawValue:))
        let constraint = field(Int32(UInt8(ascii: "n")))
        let kind: PostgresError.Kind = state == .queryCanceled ? .timeout : .server
        return PostgresError(kind, "the server refused the statement", sqlState: state, constraint: constraint)
    }

    private func field(_ code: Int32) -> String? {
        PQresultErrorField(pointer, code).map { String(cString: $0) }
    }
}
