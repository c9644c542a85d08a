/// A time as our services write it, RFC 3339 in UTC with milliseconds, passed on as it came.
///
/// Its order as text is its order in time.
struct WireTime: Hashable, Sendable, Comparable, Codable {
    let text: String

    init?(_ text: String) {
        let form = "dddd-dd-ddTdd:dd:dd.dddZ".utf8
        let fits = zip(text.utf8, form).allSatisfy { byte, wanted in
            wanted == UInt8(ascii: "d") ? (0x30...0x39).contains(byte) : byte == wanted
        }
        guard fits, text.utf8.count == form.count else { return nil }
        self.text = text
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let time = WireTime(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a time")
        }
        self = time
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    static func < (left: WireTime, right: WireTime) -> Bool { left.text < right.text }
}
