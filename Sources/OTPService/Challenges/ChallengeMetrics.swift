import Metrics

/// What the challenges count. Phones and codes are in no label.
package struct ChallengeMetrics: Sendable {
    /// Counts into the process's metrics.
    package init() {}

    func sent(_ channel: Channel, _ region: String?, _ outcome: String) {
        Counter(
            label: "otp_sent_total",
            dimensions: [("channel", channel.rawValue), ("country", region ?? "unknown"), ("outcome", outcome)]
        ).increment()
    }

    /// A send that was refused, by the database or from memory.
    func refused(_ channel: Channel, _ region: String?, _ refusal: SendRefusal) {
        sent(channel, region, refusal.label)
        throttled(refusal.cause)
    }

    /// A resend; nil if it was accepted.
    func resent(_ channel: Channel, _ refusal: SendRefusal?) {
        Counter(
            label: "otp_resent_total",
            dimensions: [("channel", channel.rawValue), ("outcome", refusal?.label ?? "accepted")]
        ).increment()
        if let refusal { throttled(refusal.cause) }
    }

    /// A request was refused with 429 for this cause, or would have been if it were enforced.
    func throttled(_ cause: String, enforced: Bool = true) {
        Counter(
            label: "otp_throttled_total", dimensions: [("limit", cause), ("enforced", enforced ? "true" : "false")]
        ).increment()
    }

    func answered(_ decision: AnswerDecision) {
        let outcome =
            switch decision {
            case .verified: "verified"
            case .incorrect: "incorrect"
            case .locked: "locked"
            case .notActive: "not_active"
            case .requestLimit: "request_limit"
            }
        Counter(label: "otp_verified_total", dimensions: [("outcome", outcome)]).increment()
        switch decision {
        case .locked: throttled("lock")
        case .requestLimit(let wait): throttled(SendRefusal.requestLimit(wait: wait).cause)
        case .verified, .incorrect, .notActive: break
        }
    }
}

extension SendRefusal {
    /// Its name in metrics.
    var label: String {
        switch self {
        case .resendTooSoon: "resend_too_soon"
        case .phoneLimit: "phone_limit"
        case .networkLimit: "network_limit"
        case .prefixLimit: "prefix_limit"
        case .requestLimit: "request_limit"
        case .budget: "budget"
        case .destination: "destination"
        }
    }

    /// What limited it, in `otp_throttled_total`.
    var cause: String {
        switch self {
        case .resendTooSoon: "cooldown"
        case .phoneLimit: "phone"
        case .networkLimit: "network"
        case .prefixLimit: "prefix"
        case .requestLimit: "requests"
        case .budget: "budget"
        case .destination: "destination"
        }
    }
}

extension Int {
    /// Microseconds as whole seconds, rounded up, at least 1: for `Retry-After`.
    var wholeSeconds: Int { Swift.max(1, (self + 999_999) / 1_000_000) }
}
