package import Foundation

/// A Swift value that can be bound to a parameter.
package protocol PostgresEncodable: Sendable {
    static var postgresType: PostgresType { get }
    /// Appends the value in the server's binary format (network byte order).
    func encode(into bytes: inout [UInt8])
}

/// A Swift value that a column can become.
package protocol PostgresDecodable: Sendable {
    /// Decodes one cell; nil is NULL. Throws `.decoding` when type or length do not fit.
    static func decode(_ cell: PostgresCell) throws(PostgresError) -> Self
}

/// A value that can be bound and read, alone and as the element of an array.
package protocol PostgresCodable: PostgresEncodable, PostgresDecodable {
    static var postgresArrayType: PostgresType { get }
}

/// The bytes of one cell of a result, valid while its row is.
package struct PostgresCell {
    let bytes: UnsafeRawBufferPointer?
    let type: PostgresType

    func required() throws(PostgresError) -> UnsafeRawBufferPointer {
        guard let bytes else { throw PostgresError(.decoding, "NULL where a value was expected") }
        return bytes
    }

    func mismatch(_ wanted: String) -> PostgresError {
        PostgresError(.decoding, "a column of type \(type.rawValue) does not read as \(wanted)")
    }

    /// A big-endian integer that fills the cell exactly.
    func integer<Value: FixedWidthInteger>(_: Value.Type) throws(PostgresError) -> Value {
        let bytes = try required()
        guard bytes.count == MemoryLayout<Value>.size else { throw mismatch("\(Value.self)") }
        return Value(bigEndian: bytes.loadUnaligned(as: Value.self))
    }
}

extension FixedWidthInteger {
    func appendBigEndian(to bytes: inout [UInt8]) {
        withUnsafeBytes(of: bigEndian) { bytes.append(contentsOf: $0) }
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Wrapped? {
        if cell.bytes == nil { return nil }
        return try Wrapped.decode(cell)
    }
}

extension Int: PostgresCodable {
    package static var postgresType: PostgresType { .int8 }
    package static var postgresArrayType: PostgresType { .int8Array }
    package func encode(into bytes: inout [UInt8]) { Int64(self).appendBigEndian(to: &bytes) }
    /// Reads `int8`, and widens `int4` and `int2`.
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Int {
        switch cell.type {
        case .int8: Int(try cell.integer(Int64.self))
        case .int4: Int(try cell.integer(Int32.self))
        case .int2: Int(try cell.integer(Int16.self))
        default: throw cell.mismatch("Int")
        }
    }
}

extension Int64: PostgresCodable {
    package static var postgresType: PostgresType { .int8 }
    package static var postgresArrayType: PostgresType { .int8Array }
    package func encode(into bytes: inout [UInt8]) { appendBigEndian(to: &bytes) }
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Int64 { Int64(try Int.decode(cell)) }
}

extension Int32: PostgresCodable {
    package static var postgresType: PostgresType { .int4 }
    package static var postgresArrayType: PostgresType { .int4Array }
    package func encode(into bytes: inout [UInt8]) { appendBigEndian(to: &bytes) }
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Int32 {
        guard cell.type == .int4 else { throw cell.mismatch("Int32") }
        return try cell.integer(Int32.self)
    }
}

extension Int16: PostgresCodable {
    package static var postgresType: PostgresType { .int2 }
    package static var postgresArrayType: PostgresType { .int2Array }
    package func encode(into bytes: inout [UInt8]) { appendBigEndian(to: &bytes) }
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Int16 {
        guard cell.type == .int2 else { throw cell.mismatch("Int16") }
        return try cell.integer(Int16.self)
    }
}

extension Bool: PostgresCodable {
    package static var postgresType: PostgresType { .bool }
    package static var postgresArrayType: PostgresType { .boolArray }
    package func encode(into bytes: inout [UInt8]) { bytes.append(self ? 1 : 0) }
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Bool {
        guard cell.type == .bool else { throw cell.mismatch("Bool") }
        return try cell.integer(UInt8.self) != 0
    }
}

extension Double: PostgresCodable {
    package static var postgresType: PostgresType { .float8 }
    package static var postgresArrayType: PostgresType { .float8Array }
    package func encode(into bytes: inout [UInt8]) { bitPattern.appendBigEndian(to: &bytes) }
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Double {
        switch cell.type {
        case .float8: Double(bitPattern: try cell.integer(UInt64.self))
        case .float4: Double(Float(bitPattern: try cell.integer(UInt32.self)))
        default: throw cell.mismatch("Double")
        }
    }
}

extension String: PostgresCodable {
    package static var postgresType: PostgresType { .text }
    package static var postgresArrayType: PostgresType { .textArray }
    package func encode(into bytes: inout [UInt8]) { bytes.append(contentsOf: utf8) }
    /// Reads text, varchar, char, name, json and enums.
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> String {
        guard cell.type.isTextual else { throw cell.mismatch("String") }
        return String(decoding: try cell.required(), as: UTF8.self)
    }
}

extension UUID: PostgresCodable {
    package static var postgresType: PostgresType { .uuid }
    package static var postgresArrayType: PostgresType { .uuidArray }
    package func encode(into bytes: inout [UInt8]) { withUnsafeBytes(of: uuid) { bytes.append(contentsOf: $0) } }
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> UUID {
        let bytes = try cell.required()
        guard cell.type == .uuid, bytes.count == 16 else { throw cell.mismatch("UUID") }
        return UUID(uuid: bytes.loadUnaligned(as: uuid_t.self))
    }
}

extension Date: PostgresCodable {
    /// 2000-01-01T00:00:00Z, the server's epoch, in seconds of Unix time.
    private static let epoch: TimeInterval = 946_684_800

    package static var postgresType: PostgresType { .timestamptz }
    package static var postgresArrayType: PostgresType { .timestamptzArray }

    /// Microseconds since 2000; what lies outside of the server's range becomes ±infinity.
    package func encode(into bytes: inout [UInt8]) {
        let microseconds = (timeIntervalSince1970 - Date.epoch) * 1_000_000
        let limit: Double = 9.2e18
        let value: Int64 =
            if microseconds >= limit {
                .max
            } else if microseconds > -limit {
                Int64(microseconds.rounded())
            } else {
                .min
            }
        value.appendBigEndian(to: &bytes)
    }

    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> Date {
        guard cell.type == .timestamptz || cell.type == .timestamp else { throw cell.mismatch("Date") }
        let value = try cell.integer(Int64.self)
        if value == .max { return .distantFuture }
        if value == .min { return .distantPast }
        return Date(timeIntervalSince1970: epoch + Double(value) / 1_000_000)
    }
}
