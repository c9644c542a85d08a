import HTTPTypes
import NIOCore

/// One whole request as it came from a connection, or the news that it is not going to be one.
struct ReceivedRequest: Sendable {
    /// Head and path; an empty stand-in when the head itself was at fault.
    var head: HTTPRequest
    var body: ByteBuffer?
    /// Whether the client wants and is able to send another request on this connection (RFC 9112 §9.3).
    var keepsAlive: Bool
    /// Whether the client has to be told that the connection stays open: it speaks HTTP/1.0.
    var isVersion10 = false
    /// Why the request is refused before any handler sees it.
    var rejection: ProblemType?

    /// Whether the proxy in front says that the client came by https. One that lies about it is told a rule for itself alone.
    var isForwardedByTLS: Bool {
        guard let forwardedProto = Self.forwardedProto else { return false }
        return head.headerFields[forwardedProto]?.lowercased().hasSuffix("https") ?? false
    }

    private static let forwardedProto = HTTPField.Name("X-Forwarded-Proto")

    /// What stands for a request whose head could not be read.
    static func unreadable(_ rejection: ProblemType) -> ReceivedRequest {
        ReceivedRequest(
            head: HTTPRequest(method: .get, scheme: nil, authority: nil, path: nil), body: nil, keepsAlive: false,
            rejection: rejection)
    }
}

/// One whole answer in the bytes of HTTP/1.1.
struct EncodedResponse: Sendable {
    var bytes: ByteBuffer
    /// Whether the connection ends with it.
    var closes: Bool
}
