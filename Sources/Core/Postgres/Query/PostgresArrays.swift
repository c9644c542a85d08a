package import Foundation

// Arrays. `[UInt8]` is a bytea; every other array is a one-dimensional SQL array (server source, array_recv):
// dimensions, has-null flag, element type, then length and lower bound, then length-prefixed elements.

extension UInt8: PostgresElement {
    package static var postgresContainerType: PostgresType { .bytea }

    package static func encodeContainer(_ values: [UInt8], into bytes: inout [UInt8]) {
        bytes.append(contentsOf: values)
    }

    package static func decodeContainer(_ cell: PostgresCell) throws(PostgresError) -> [UInt8] {
        guard cell.type == .bytea else { throw cell.mismatch("[UInt8]") }
        return [UInt8](try cell.required())
    }
}

/// What an array may hold, and what SQL type the array then has.
package protocol PostgresElement: Sendable {
    static var postgresContainerType: PostgresType { get }
    static func encodeContainer(_ values: [Self], into bytes: inout [UInt8])
    static func decodeContainer(_ cell: PostgresCell) throws(PostgresError) -> [Self]
}

extension PostgresElement where Self: PostgresCodable {
    package static var postgresContainerType: PostgresType { postgresArrayType }

    package static func encodeContainer(_ values: [Self], into bytes: inout [UInt8]) {
        let dimensions: Int32 = values.isEmpty ? 0 : 1
        dimensions.appendBigEndian(to: &bytes)
        Int32(0).appendBigEndian(to: &bytes)
        postgresType.rawValue.appendBigEndian(to: &bytes)
        guard !values.isEmpty else { return }
        Int32(clamping: values.count).appendBigEndian(to: &bytes)
        Int32(1).appendBigEndian(to: &bytes)
        for value in values {
            let lengthAt = bytes.count
            Int32(0).appendBigEndian(to: &bytes)
            value.encode(into: &bytes)
            let length = Int32(clamping: bytes.count - lengthAt - 4)
            withUnsafeBytes(of: length.bigEndian) { source in
                bytes.withUnsafeMutableBytes { target in
                    UnsafeMutableRawBufferPointer(rebasing: target[lengthAt..<lengthAt + 4]).copyMemory(from: source)
                }
            }
        }
    }

    package static func decodeContainer(_ cell: PostgresCell) throws(PostgresError) -> [Self] {
        var reader = ArrayReader(bytes: try cell.required())
        let dimensions = try reader.int32()
        _ = try reader.int32()
        let element = PostgresType(rawValue: UInt32(bitPattern: try reader.int32()))
        if dimensions == 0 { return [] }
        guard dimensions == 1 else { throw cell.mismatch("a one-dimensional array") }
        let count = try reader.int32()
        _ = try reader.int32()
        var values: [Self] = []
        for _ in 0..<max(count, 0) {
            values.append(try decode(PostgresCell(bytes: try reader.element(), type: element)))
        }
        return values
    }
}

/// Walks the binary form of an array; every step is checked against the end.
private struct ArrayReader {
    let bytes: UnsafeRawBufferPointer
    var offset = 0

    mutating func int32() throws(PostgresError) -> Int32 {
        let slice = try take(4)
        return Int32(bigEndian: slice.loadUnaligned(as: Int32.self))
    }

    mutating func element() throws(PostgresError) -> UnsafeRawBufferPointer? {
        let length = try int32()
        return length < 0 ? nil : try take(Int(length))
    }

    private mutating func take(_ count: Int) throws(PostgresError) -> UnsafeRawBufferPointer {
        guard count <= bytes.count - offset else { throw PostgresError(.decoding, "an array ends early") }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }
}

extension Bool: PostgresElement {}
extension Int: PostgresElement {}
extension Int64: PostgresElement {}
extension Int32: PostgresElement {}
extension Int16: PostgresElement {}
extension Double: PostgresElement {}
extension String: PostgresElement {}
extension UUID: PostgresElement {}
extension Date: PostgresElement {}

extension Array: PostgresEncodable where Element: PostgresElement {
    package static var postgresType: PostgresType { Element.postgresContainerType }
    package func encode(into bytes: inout [UInt8]) { Element.encodeContainer(self, into: &bytes) }
}

extension Array: PostgresDecodable where Element: PostgresElement {
    package static func decode(_ cell: PostgresCell) throws(PostgresError) -> [Element] {
        try Element.decodeContainer(cell)
    }
}

extension [UInt8]: PostgresCodable {
    package static var postgresArrayType: PostgresType { .byteaArray }
}

extension [UInt8]: PostgresElement {}
