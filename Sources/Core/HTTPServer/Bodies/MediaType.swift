/// A media type (RFC 9110 §8.3.1) as far as requests need it: the type in lower case, and its charset.
struct MediaType: Equatable {
    let name: String
    /// In lower case.
    let charset: String?

    /// Reads a `Content-Type` value; nil if it is none.
    init?(_ text: String) {
        guard text.utf8.count <= 256 else { return nil }
        let parts = text.split(separator: ";", omittingEmptySubsequences: false)
        guard let first = parts.first else { return nil }
        name = Self.trim(first).lowercased()
        guard name.utf8.count(where: { $0 == UInt8(ascii: "/") }) == 1, !name.utf8.contains(0x20) else { return nil }
        var charset: String?
        for part in parts.dropFirst() {
            let parameter = Self.trim(part)
            if parameter.isEmpty { continue }
            guard let equals = parameter.utf8.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            guard parameter[..<equals].lowercased() == "charset" else { continue }
            guard charset == nil else { return nil }
            var value = parameter[parameter.utf8.index(after: equals)...]
            if value.utf8.count >= 2, value.utf8.first == 0x22, value.utf8.last == 0x22 {
                value = value.dropFirst().dropLast()
            }
            charset = value.lowercased()
        }
        self.charset = charset
    }

    /// Whether a body of this type is `name` in UTF-8.
    func isUTF8(_ name: String) -> Bool { self.name == name && (charset == nil || charset == "utf-8") }

    private static func trim(_ text: Substring) -> Substring {
        var text = text
        while text.utf8.first == 0x20 || text.utf8.first == 0x09 { text = text.dropFirst() }
        while text.utf8.last == 0x20 || text.utf8.last == 0x09 { text = text.dropLast() }
        return text
    }
}
