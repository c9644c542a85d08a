package import Foundation

/// The gateway as this process sees it; the answer of `GET /internal/gateway`.
package struct GatewayStatus: Sendable, Hashable, Encodable {
    package enum State: String, Sendable, Encodable, CaseIterable {
        /// Messages go out.
        case closed
        /// Messages are tried, but the last attempts got no answer.
        case unreachable
        /// Messages wait: the gateway refuses all of them.
        case open
    }

    package var state: State
    /// When that began; nil while closed.
    package var since: Date?
    /// The kind of refusal: `configuration`, `balance`, `quota`, or `no answer`.
    package var reason: String?
    /// The gateway's code or our name for its text; of `no answer`, what came instead: `timeout`, `http-503`.
    package var code: String?
    /// What an operator can do, in a sentence.
    package var action: String?
    /// When a message may go out to find out whether it works again.
    package var nextProbeAt: Date?
    /// When the gateway last took a message of this process.
    package var lastSuccessAt: Date?
    /// The last test of key and template.
    package var selfTest: SelfTestReport?

    enum CodingKeys: String, CodingKey {
        case state, since, reason, code, action
        case nextProbeAt = "next_probe_at"
        case lastSuccessAt = "last_success_at"
        case selfTest = "self_test"
    }

    /// A state without more to say about it.
    package init(state: State, lastSuccessAt: Date? = nil, selfTest: SelfTestReport? = nil) {
        self.state = state
        self.lastSuccessAt = lastSuccessAt
        self.selfTest = selfTest
    }
}
