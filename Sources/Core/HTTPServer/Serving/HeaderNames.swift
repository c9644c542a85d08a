package import HTTPTypes

/// Header names that HTTPTypes does not list; made once, because making one checks its characters.
extension HTTPField.Name {
    package static let xForwardedFor = name("X-Forwarded-For")
    package static let xRequestID = name("X-Request-Id")
    package static let traceparent = name("traceparent")
    package static let idempotencyKey = name("Idempotency-Key")
    package static let rateLimit = name("RateLimit")
    package static let rateLimitPolicy = name("RateLimit-Policy")

    /// A name that is known to be one.
    private static func name(_ text: String) -> HTTPField.Name { HTTPField.Name(text) ?? .expect }
}
