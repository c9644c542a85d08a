/// A scan of a JSON object that refuses what no token of ours contains and what JSON readers disagree about:
/// duplicate names (RFC 7519 §4), escapes, anything but ASCII, deep nesting, very many members.
///
/// It runs before Foundation's decoder and bounds what that one gets to see.
struct StrictObject {
    enum Value: Equatable {
        case text(String)
        case other
    }

    /// An audience may be a list in an object: two levels, and two to spare.
    private static let maximumDepth = 4
    private static let maximumMembers = 32

    private let bytes: [UInt8]
    private var position = 0
    private var memberCount = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Returns the members of the object, or nil if the bytes are not exactly one strict object.
    static func members(of bytes: [UInt8]) -> [String: Value]? {
        var scan = StrictObject(bytes)
        scan.skipBlanks()
        guard let members = scan.object(depth: 1) else { return nil }
        scan.skipBlanks()
        return scan.next == nil ? members : nil
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func skipBlanks() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    private mutating func object(depth: Int) -> [String: Value]? {
        guard depth <= Self.maximumDepth, take("{") else { return nil }
        var members: [String: Value] = [:]
        skipBlanks()
        if take("}") { return members }
        repeat {
            skipBlanks()
            memberCount += 1
            guard memberCount <= Self.maximumMembers, let name = text() else { return nil }
            skipBlanks()
            guard take(":"), let value = value(depth: depth) else { return nil }
            guard members.updateValue(value, forKey: name) == nil else { return nil }
        } while take(",")
        return take("}") ? members : nil
    }

    private mutating func array(depth: Int) -> Bool {
        guard depth <= Self.maximumDepth, take("[") else { return false }
        skipBlanks()
        if take("]") { return true }
        repeat {
            memberCount += 1
            guard memberCount <= Self.maximumMembers, value(depth: depth) != nil else { return false }
        } while take(",")
        return take("]")
    }

    /// A value with the blanks around it.
    private mutating func value(depth: Int) -> Value? {
        skipBlanks()
        defer { skipBlanks() }
        switch next {
        case UInt8(ascii: "\""): return text().map(Value.text)
        case UInt8(ascii: "{"): return object(depth: depth + 1) == nil ? nil : .other
        case UInt8(ascii: "["): return array(depth: depth + 1) ? .other : nil
        default: return word() ? .other : nil
        }
    }

    /// A string of printable ASCII without escapes.
    private mutating func text() -> String? {
        guard take("\"") else { return nil }
        let start = position
        while let byte = next, byte != UInt8(ascii: "\"") {
            guard (0x20..<0x7F).contains(byte), byte != UInt8(ascii: "\\") else { return nil }
            position += 1
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        return take("\"") ? text : nil
    }

    /// A number or a literal: only its extent matters, the decoder reads it.
    private mutating func word() -> Bool {
        let start = position
        while let byte = next, Self.isWordCharacter(byte) { position += 1 }
        return (1...32).contains(position - start)
    }

    private static func isWordCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "E"),
            UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
