/// What a proof of a phone is for. A proof for one purpose is worth nothing for another.
package enum Purpose: String, Sendable, Codable, CaseIterable {
    case signIn = "sign_in"
    case changePhone = "change_phone"
    case adminSignIn = "admin_sign_in"

    /// The service that takes proofs of this purpose, `aud` of the verification token.
    package var audience: ServiceName {
        switch self {
        case .signIn, .changePhone: .user
        case .adminSignIn: .admin
        }
    }
}

/// The services by the names they give themselves in tokens, logs and commands.
package enum ServiceName: String, Sendable, Codable, CaseIterable {
    case otp = "otp-service"
    case user = "user-service"
    case admin = "admin-service"
}

/// What an administrator may do; each role may do all that the lower ones may.
package enum Role: String, Sendable, Codable, CaseIterable, Comparable {
    case viewer
    case support
    case owner

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .support: 1
        case .owner: 2
        }
    }

    /// Orders by rights, lowest first.
    package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
}
