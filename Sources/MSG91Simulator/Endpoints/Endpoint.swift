package import Foundation

/// The provider's paths that are simulated.
package enum Endpoint: String, Sendable, Codable, CaseIterable {
    case send
    case verify
    case retry
    case flow
    case whatsapp
    case logs
    /// The legacy balance of the account, as text.
    case balance
    /// The OTP widget as a server uses it: a code is sent, sent again and answered by a request id, and the answer's proof
    /// is checked.
    case widgetSend = "widget_send"
    case widgetRetry = "widget_retry"
    case widgetVerify = "widget_verify"
    case widgetToken = "widget_token"

    var path: String {
        switch self {
        case .send: "/api/v5/otp"
        case .verify: "/api/v5/otp/verify"
        case .retry: "/api/v5/otp/retry"
        case .flow: "/api/v5/flow"
        case .whatsapp: "/api/v5/whatsapp/whatsapp-outbound-message/bulk"
        case .logs: "/api/v5/report/logs/p/otp"
        case .balance: "/api/balance.php"
        case .widgetSend: "/api/v5/widget/sendOtp"
        case .widgetRetry: "/api/v5/widget/retryOtp"
        case .widgetVerify: "/api/v5/widget/verifyOtp"
        case .widgetToken: "/api/v5/widget/verifyAccessToken"
        }
    }

    /// The widget's paths are documented for POST alone; of the others integrators use both methods.
    var isPostOnly: Bool {
        switch self {
        case .widgetSend, .widgetRetry, .widgetVerify, .widgetToken: true
        case .send, .verify, .retry, .flow, .whatsapp, .logs, .balance: false
        }
    }
}

/// A call as it arrived, for tests that look at what their client sends.
package struct SeenRequest: Sendable {
    package let method: String
    /// Without the query.
    package let path: String
    /// All parameters but the key, by name.
    package let parameters: [String: String]
    /// Where the key was: `header`, `query`, `body` or `none`.
    package let authKeyPosition: String
    /// RFC 3339 in JSON.
    package let receivedAt = Date()

    var json: JSONValue {
        .members([
            "method": .string(method), "path": .string(path),
            "parameters": .object(
                parameters.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: .string($0.value)) }),
            "authkey_in": .string(authKeyPosition), "received_at": .string(Timestamp.rfc3339(receivedAt)),
        ])
    }
}
