internal import CLibCurl

/// Where a request goes: judged by libcurl's own URL parser, so that what was allowed is what is spoken to.
struct RequestTarget: Hashable, Sendable {
    let isSecure: Bool
    /// In lower case; an IPv6 address has its brackets.
    let host: String
    let port: String

    /// Refuses everything but https, plain http to loopback or an allowed host, and URLs with user info.
    init(url: String, plainHTTPHosts: Set<String>) throws(HTTPClientError) {
        guard !url.utf8.contains(0), let parsed = curl_url() else { throw .invalidURL }
        defer { curl_url_cleanup(parsed) }
        let flags = UInt32(CURLU_DISALLOW_USER)
        guard curl_url_set(parsed, CURLUPART_URL, url, flags) == CURLUE_OK,
            let scheme = Self.part(CURLUPART_SCHEME, of: parsed),
            let host = Self.part(CURLUPART_HOST, of: parsed),
            let port = Self.part(CURLUPART_PORT, of: parsed)
        else { throw .invalidURL }
        self.host = host.lowercased()
        self.port = port
        switch scheme.lowercased() {
        case "https":
            isSecure = true
        case "http" where Self.isLoopback(self.host) || plainHTTPHosts.contains(self.host):
            isSecure = false
        default:
            throw .invalidURL
        }
    }

    /// Literal addresses and `localhost`, which libcurl never asks a name server for (RFC 6761 §6.3).
    private static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "[::1]" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.first == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    private static func part(_ part: CURLUPart, of url: OpaquePointer) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(url, part, &text, UInt32(CURLU_DEFAULT_PORT)) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}
