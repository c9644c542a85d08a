/// Why a request got no answer. Nothing of the request or of an answer is in it, so that it may be logged.
package enum HTTPClientError: Error, Hashable, Sendable {
    /// Not an absolute https URL, or plain http to a host that may not be spoken to without TLS, or user info in it.
    case invalidURL
    /// A method or header that is no token, a value with CR, LF or NUL, or a header that is the client's own business.
    case invalidRequest
    /// No connection: the name is unknown, nobody listens, no route, or the connect timeout passed.
    case connect
    /// The TLS handshake failed, in most cases because the certificate is not the host's.
    case tls
    /// The time for the whole request was over.
    case timeout(maybeSent: Bool)
    /// The connection ended before the answer was complete.
    case reset(maybeSent: Bool)
    /// The answer, its header or its body, is larger than allowed.
    case tooLarge
    /// What came back is not HTTP.
    case malformedResponse
    /// The surrounding task was cancelled.
    case cancelled(maybeSent: Bool)
    /// The client was shut down.
    case stopped(maybeSent: Bool)

    /// Whether the server may have received the request and acted on it.
    ///
    /// When it is false, sending again cannot do anything twice.
    package var maybeSent: Bool {
        switch self {
        case .invalidURL, .invalidRequest, .connect, .tls: false
        case .tooLarge, .malformedResponse: true
        case .timeout(let sent), .reset(let sent), .cancelled(let sent), .stopped(let sent): sent
        }
    }
}
