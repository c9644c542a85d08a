/// One kind of problem that a service tells its clients about: a stable code, its status, and what to do.
package struct ProblemType: Hashable, Sendable {
    /// The stable name in kebab-case, last part of the problem's `type` URI.
    package let code: String
    /// The HTTP status, 400 to 599.
    package let status: Int
    /// A short summary that does not change from occurrence to occurrence (RFC 9457 §3.1.3).
    package let title: String
    /// What it means and what to do, for the page behind the `type` URI.
    package let explanation: String

    package init(_ code: String, status: Int, title: String, explanation: String) {
        self.code = code
        self.status = status
        self.title = title
        self.explanation = explanation
    }
}

/// The problems that any service can answer with.
extension ProblemType {
    package static let invalidRequest = ProblemType(
        "invalid-request", status: 400, title: "The request is not valid",
        explanation: """
            The body, a parameter or a header is not what the operation expects. The member "errors" names each field \
            and says what is wrong with it. Correct the request; sending it again unchanged gives the same answer.
            """)
    package static let authenticationRequired = ProblemType(
        "authentication-required", status: 401, title: "Authentication is required",
        explanation: "The request carried no bearer token. Sign in, then send \"Authorization: Bearer\" and the token.")
    package static let invalidToken = ProblemType(
        "invalid-token", status: 401, title: "The token is not valid",
        explanation: """
            The token is malformed, expired, revoked, or made for another purpose; which of these is not told. Get a new \
            one, by refreshing or by signing in again.
            """)
    package static let insufficientScope = ProblemType(
        "insufficient-scope", status: 403, title: "The token does not allow this",
        explanation: "The caller is known, but is not allowed to do this. Another token of the same kind does not help."
    )
    package static let notFound = ProblemType(
        "not-found", status: 404, title: "There is no such resource",
        explanation: "Nothing has this path, or the resource named in it does not exist.")
    package static let methodNotAllowed = ProblemType(
        "method-not-allowed", status: 405, title: "The method is not allowed here",
        explanation: "The path exists, but not with this method. The header \"Allow\" lists those that it has.")
    package static let requestTimeout = ProblemType(
        "request-timeout", status: 408, title: "The request did not arrive in time",
        explanation: "Headers must be complete within 10 seconds and the body within 30. Send the request again.")
    package static let payloadTooLarge = ProblemType(
        "payload-too-large", status: 413, title: "The body is too large",
        explanation: "Request bodies may have 16 KiB unless the operation says otherwise.")
    package static let unsupportedMediaType = ProblemType(
        "unsupported-media-type", status: 415, title: "The media type is not supported",
        explanation: """
            The body must be of the type that the operation names, usually \"application/json\" in UTF-8, and not \
            compressed.
            """)
    package static let headersTooLarge = ProblemType(
        "headers-too-large", status: 431, title: "The headers are too large",
        explanation: "A request may have 100 header fields and 32 KiB of them, the path included.")
    package static let internalError = ProblemType(
        "internal-error", status: 500, title: "Something went wrong on our side",
        explanation: """
            The request met a defect of the service. It has been recorded under the \"request_id\" of the answer: name \
            that id when you report it.
            """)
    package static let serviceUnavailable = ProblemType(
        "service-unavailable", status: 503, title: "The service is not available for a moment",
        explanation: """
            Something that the service depends on is away, or there are too many requests. Wait as long as \
            \"Retry-After\" says, then send the request again.
            """)

    /// All of the above.
    package static let shared: [ProblemType] = [
        .invalidRequest, .authenticationRequired, .invalidToken, .insufficientScope, .notFound, .methodNotAllowed,
        .requestTimeout, .payloadTooLarge, .unsupportedMediaType, .headersTooLarge, .internalError, .serviceUnavailable,
    ]
}
