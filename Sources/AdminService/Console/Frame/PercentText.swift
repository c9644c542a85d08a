/// Percent-encoding of query values (RFC 3986 §2.1): everything but the unreserved characters and the slash.
enum PercentText {
    static func encode(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "/"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += "%" + CollectionOfOne(byte).hexadecimal.uppercased()
            }
        }
        return result
    }

    /// `path?name=value&…` of those that have a value; the path alone if none has.
    static func link(_ path: String, _ values: [(String, String?)]) -> String {
        let pairs = values.compactMap { name, value in value.map { "\(name)=\(encode($0))" } }
        return pairs.isEmpty ? path : path + "?" + pairs.joined(separator: "&")
    }
}
