/// An answer as it arrives, within its bounds.
struct IncomingResponse {
    private(set) var headers: [(String, String)] = []
    private(set) var body: [UInt8] = []
    private(set) var isTooLarge = false
    private let maximumHeaderSize: Int
    private let maximumBodySize: Int
    private var headerSize = 0
    private var isHeaderComplete = false

    init(maximumHeaderSize: Int, maximumBodySize: Int) {
        self.maximumHeaderSize = maximumHeaderSize
        self.maximumBodySize = maximumBodySize
    }

    /// False when the body grows beyond its bound.
    mutating func appendBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= maximumBodySize - body.count else {
            isTooLarge = true
            return false
        }
        body.append(contentsOf: bytes)
        return true
    }

    /// One line with its end; false when the header grows beyond its bound.
    mutating func appendHeaderLine(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= maximumHeaderSize - headerSize else {
            isTooLarge = true
            return false
        }
        headerSize += bytes.count
        let line = String(decoding: bytes, as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            // A final answer after an interim one (1xx) starts afresh.
            headers = []
            isHeaderComplete = false
        } else if line.utf8.first == UInt8(ascii: "\r") || line.utf8.first == UInt8(ascii: "\n") {
            isHeaderComplete = true
        } else if !isHeaderComplete, let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) {
            headers.append((String(line[..<colon]), Self.trimmed(line[line.index(after: colon)...])))
        }
        return true
    }

    private static func trimmed(_ text: Substring) -> String {
        var rest = text[...]
        while let first = rest.utf8.first, isBlank(first) { rest = Substring(rest.utf8.dropFirst()) }
        while let last = rest.utf8.last, isBlank(last) { rest = Substring(rest.utf8.dropLast()) }
        return String(rest)
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A
    }
}
