import HTTPServer

/// Where a recorded act came from.
struct AuditOrigin: Sendable {
    let requestID: String?
    /// The network key of the client: an IPv4 address or an IPv6 /64.
    let address: String?

    /// The command line on the server.
    static let command = AuditOrigin(requestID: nil, address: nil)

    init(requestID: String?, address: String?) {
        self.requestID = requestID
        self.address = address
    }

    init(_ context: PostkeyRequestContext) {
        self.init(requestID: context.requestID, address: context.clientAddress.description)
    }
}

/// What is recorded. The names are part of the published contract of the audit log.
enum AuditAction: String, Sendable, CaseIterable {
    case operatorCreated = "operator.created"
    case operatorDisabled = "operator.disabled"
    case signedIn = "operator.signed_in"
    /// A wrong second factor.
    case signInFailed = "operator.sign_in_failed"
    /// A good phone proof that was of no use; once per proof and reason.
    case signInRefused = "operator.sign_in_refused"
    case signedOut = "operator.signed_out"
    /// A request that the operator's role does not allow.
    case denied = "operator.denied"
    case cacheCleared = "cache.cleared"
}
