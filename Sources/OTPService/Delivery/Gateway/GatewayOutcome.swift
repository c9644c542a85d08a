/// What the gateway made of a message, judged by what it said, never by the HTTP status alone.
package enum GatewayOutcome: Sendable, Hashable {
    /// It took the message; its id for it, which a retry call does not have.
    case accepted(id: String)
    /// It had taken the same message within the last ten seconds (code 311).
    case duplicate
    /// It will not take this message; later perhaps, if the reason is the account's (``GatewayRefusal/Kind/concernsAll``).
    case refused(GatewayRefusal)
    /// Nothing was done, and the same message may be tried later; `after` is what the gateway asked for.
    case transient(reason: String, after: Duration?)
    /// Nobody can tell whether it took the message.
    case unknown(reason: String)
    /// A call was asked for, and the gateway has no code of ours that it could read out.
    case nothingToRepeat
}

/// Why the gateway will not take a message.
package struct GatewayRefusal: Sendable, Hashable, CustomStringConvertible {
    /// Whose problem it is.
    package enum Kind: String, Sendable, CaseIterable {
        /// Key, template, address, account: nothing goes out until an operator acts.
        case configuration
        /// This one number.
        case recipient
        /// The account is empty.
        case balance
        /// The account has had its share.
        case quota
        /// We asked for nonsense.
        case request
        /// A code or text that nobody has documented.
        case unrecognised

        /// Whether every other message would be refused too.
        package var concernsAll: Bool {
            switch self {
            case .configuration, .balance, .quota: true
            case .recipient, .request, .unrecognised: false
            }
        }
    }

    /// Whose problem it is.
    package let kind: Kind
    /// The gateway's code or our name for its text; never the text, which may quote the message.
    package let code: String

    /// A refusal of this kind.
    package init(_ kind: Kind, _ code: String) {
        self.kind = kind
        self.code = code
    }

    /// `configuration 201`.
    package var description: String { "\(kind.rawValue) \(code)" }
}

extension GatewayOutcome {
    /// All values of ``errorClass``.
    static let errorClasses = GatewayRefusal.Kind.allCases.map(\.rawValue) + ["duplicate", "transient", "unknown"]

    /// As `otp_gateway_errors_total` counts it; nil for what is no error.
    var errorClass: String? {
        switch self {
        case .accepted, .nothingToRepeat: nil
        case .duplicate: "duplicate"
        case .refused(let refusal): refusal.kind.rawValue
        case .transient: "transient"
        case .unknown: "unknown"
        }
    }
}
