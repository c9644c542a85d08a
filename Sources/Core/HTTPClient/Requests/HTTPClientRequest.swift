/// A request with its whole body.
package struct HTTPClientRequest: Sendable {
    /// The method's token, `GET` or `POST`.
    package var method: String
    /// An absolute URL, percent-encoded by the caller.
    package var url: String
    /// Names and values in the order they are sent. `Host`, `Content-Length`, `Transfer-Encoding`, `Connection` and
    /// `Expect` are the client's own.
    package var headers: [(String, String)]
    /// The body; nil sends none (a POST then has `Content-Length: 0`).
    package var body: [UInt8]?
    /// False for a GET that has effects: it is then not silently sent again when a kept connection turns out dead.
    package var isRepeatable: Bool

    /// Checked when it is sent, not here.
    package init(
        method: String = "GET", url: String, headers: [(String, String)] = [], body: [UInt8]? = nil,
        isRepeatable: Bool = true
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.isRepeatable = isRepeatable
    }
}

/// A complete answer.
package struct HTTPClientResponse: Sendable {
    /// The final status code; interim answers are skipped.
    package var status: Int
    /// Names and values as they came; trailers are dropped.
    package var headers: [(String, String)]
    /// The body as it was sent: no content coding is asked for and none is undone.
    package var body: [UInt8]

    /// A complete answer; public for fakes of callers' tests.
    package init(status: Int, headers: [(String, String)], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The value of the first header of this name, in any case of letters.
    package func header(_ name: String) -> String? {
        let wanted = name.lowercased()
        return headers.first { $0.0.lowercased() == wanted }?.1
    }
}
