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

    func resent(_ channel: Channel, _ outcome: String) {
        Counter(
            label: "otp_resent_total", dimensions: [("channel", channel.rawValue), ("outcome", outcome)]
        ).increment()
    }

    /// The prefix limit would have refused this send, but is only recorded.
    func throttleRecorded() {
        Counter(label: "otp_throttled_total", dimensions: [("limit", "prefix"), ("enforced", "false")]).increment()
    }

    func answered(_ decision: AnswerDecision) {
        let outcome =
            switch decision {
            case .verified: "verified"
            case .incorrect: "incorrect"
            case .locked: "locked"
            case .notActive: "not_active"
            }
        Counter(label: "otp_verified_total", dimensions: [("outcome", outcome)]).increment()
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
        }
    }
}

extension Int {
    /// Microseconds as whole seconds, rounded up, at least 1: for `Retry-After`.
    var wholeSeconds: Int { Swift.max(1, (self + 999_999) / 1_000_000) }
}
