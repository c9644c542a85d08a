import HTTPServer
package import HTTPTypes

/// The headers `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10), which speak of the caller's own
/// network only: what is left of somebody's phone is nobody else's business.
package struct RateLimitFields: Sendable {
    /// The policies that there are.
    package enum Policy: String, Sendable {
        /// Messages asked for.
        case sends
        /// All requests.
        case requests
    }

    private let sends: RateLimit
    private let requests: RateLimit
    private let sendsText: String
    private let requestsText: String

    /// Of these limits.
    package init(_ limits: SendLimits) {
        sends = limits.network
        requests = limits.requests
        sendsText = Self.policy(.sends, limits.network)
        requestsText = Self.policy(.requests, limits.requests)
    }

    /// `remaining` of the quota are left; after `seconds` there is more.
    package func fields(_ policy: Policy, remaining: Int, seconds: Int) -> HTTPFields {
        var fields = HTTPFields()
        fields.append(
            HTTPField(name: .rateLimitPolicy, value: policy == .sends ? sendsText : requestsText))
        fields.append(
            HTTPField(
                name: .rateLimit, value: "\"\(policy.rawValue)\";r=\(max(0, remaining));t=\(max(0, seconds))"))
        return fields
    }

    /// Of an allowance that is known from the database: `wait` microseconds until one more is allowed, negative while some
    /// are. While there are some left, `t` says when all of them are back.
    package func fields(sendsLeft remaining: Int, wait: Int) -> HTTPFields {
        let wait = remaining > 0 ? wait + sends.window - sends.step : wait
        return fields(.sends, remaining: remaining, seconds: wait.wholeSeconds)
    }

    /// Of a network that has so many requests left: `t` says when all of them are back.
    package func fields(requestsLeft remaining: Int) -> HTTPFields {
        let used = max(0, requests.count - remaining)
        return fields(.requests, remaining: remaining, seconds: (used * requests.step).wholeSeconds)
    }

    private static func policy(_ policy: Policy, _ limit: RateLimit) -> String {
        "\"\(policy.rawValue)\";q=\(limit.count);w=\(limit.seconds)"
    }
}
