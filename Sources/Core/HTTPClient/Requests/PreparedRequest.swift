/// A request that was checked and is ready for libcurl.
struct PreparedRequest: Sendable {
    let target: RequestTarget
    let url: String
    let method: String
    /// Lines in libcurl's notation.
    let headerLines: [String]
    let body: [UInt8]?

    /// Whether libcurl may silently send it again over a new connection when a kept one turns out dead
    /// (RFC 9110 §9.2.2: only idempotent methods).
    let isRepeatable: Bool

    init(_ request: HTTPClientRequest, configuration: HTTPClientConfiguration) throws(HTTPClientError) {
        target = try RequestTarget(url: request.url, plainHTTPHosts: configuration.plainHTTPHosts)
        guard Self.isToken(request.method) else { throw .invalidRequest }
        url = request.url
        method = request.method
        body = request.body ?? (["POST", "PUT", "PATCH"].contains(request.method) ? [] : nil)
        isRepeatable = request.isRepeatable && ["GET", "HEAD", "OPTIONS"].contains(request.method)

        // Names with nothing after the colon take away what libcurl would add by itself.
        var lines = ["Expect:"]
        var hasContentType = false
        for (name, value) in request.headers {
            let lowercased = name.lowercased()
            guard Self.isToken(name), Self.isFieldValue(value), !Self.reserved.contains(lowercased) else {
                throw .invalidRequest
            }
            hasContentType = hasContentType || lowercased == "content-type"
            lines.append(value.isEmpty ? "\(name);" : "\(name): \(value)")
        }
        if !hasContentType { lines.append("Content-Type:") }
        headerLines = lines
    }

    private static let reserved: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "expect", "te", "upgrade",
    ]

    /// RFC 9110 §5.6.2.
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    /// RFC 9110 §5.5, with no control character but the tab.
    private static func isFieldValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }
    }
}
