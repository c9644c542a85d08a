/// Writes JSON (RFC 8259) into a byte array, for the few documents that are made by hand.
///
/// Control characters are escaped, so that a text of one line stays one line; `U+2028` and `U+2029` too, for readers that
/// take them as line ends.
package struct JSONText: Sendable {
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    package init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    /// Opens an object or an array.
    package mutating func open(_ bracket: Unicode.Scalar) {
        separate()
        bytes.append(UInt8(truncatingIfNeeded: bracket.value))
        needsComma = false
    }

    /// Closes an object or an array.
    package mutating func close(_ bracket: Unicode.Scalar) {
        bytes.append(UInt8(truncatingIfNeeded: bracket.value))
        needsComma = true
    }

    /// Writes the name of a member whose value follows.
    package mutating func name(_ name: String) {
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func member(_ name: String, _ value: String) {
        self.name(name)
        self.value(value)
    }

    package mutating func member(_ name: String, _ value: Int) {
        self.name(name)
        raw(String(value))
    }

    package mutating func member(_ name: String, _ value: Bool) {
        self.name(name)
        raw(value ? "true" : "false")
    }

    /// Writes a member that may be null.
    package mutating func nullable(_ name: String, _ value: String?) {
        self.name(name)
        if let value { self.value(value) } else { raw("null") }
    }

    /// Writes a member that may be null.
    package mutating func nullable(_ name: String, _ value: Int?) {
        self.name(name)
        raw(value.map { String($0) } ?? "null")
    }

    /// Writes a string value.
    package mutating func value(_ text: String) {
        separate()
        quote(text)
        needsComma = true
    }

    /// Writes a value that is JSON already.
    package mutating func raw(_ json: String) {
        separate()
        bytes.append(contentsOf: json.utf8)
        needsComma = true
    }

    /// The text so far.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        Self.escape(text, into: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends the inside of a JSON string.
    package static func escape(_ text: String, into bytes: inout [UInt8]) {
        var text = text
        text.withUTF8 { source in
            // Nearly all texts need no escape: one look, one copy.
            guard source.contains(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C || $0 == 0x7F || $0 == 0xE2 }) else {
                bytes.append(contentsOf: source)
                return
            }
            for (index, byte) in source.enumerated() {
                switch byte {
                case 0x22, 0x5C:
                    bytes.append(0x5C)
                    bytes.append(byte)
                case 0x0A: bytes.append(contentsOf: [0x5C, 0x6E])
                case 0x0D: bytes.append(contentsOf: [0x5C, 0x72])
                case 0x09: bytes.append(contentsOf: [0x5C, 0x74])
                case 0..<0x20, 0x7F: appendUnicodeEscape(UInt16(byte), into: &bytes)
                case 0xE2 where isLineSeparator(source, at: index):
                    appendUnicodeEscape(source[index + 2] == 0xA8 ? 0x2028 : 0x2029, into: &bytes)
                case 0x80 where index >= 1 && isLineSeparator(source, at: index - 1): break
                case 0xA8, 0xA9:
                    if index < 2 || !isLineSeparator(source, at: index - 2) { bytes.append(byte) }
                default: bytes.append(byte)
                }
            }
        }
    }

    private static func isLineSeparator(_ source: UnsafeBufferPointer<UInt8>, at index: Int) -> Bool {
        index + 2 < source.count && source[index] == 0xE2 && source[index + 1] == 0x80
            && (source[index + 2] == 0xA8 || source[index + 2] == 0xA9)
    }

    private static func appendUnicodeEscape(_ value: UInt16, into bytes: inout [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        bytes.append(contentsOf: [0x5C, 0x75])
        for shift in [12, 8, 4, 0] as [UInt16] { bytes.append(digits[Int(value >> shift & 0xF)]) }
    }
}
