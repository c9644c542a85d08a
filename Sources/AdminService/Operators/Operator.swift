import Identity

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A person who may operate Postkey, as far as an answer shows them.
struct Operator: Sendable, Encodable {
    let id: AdminID
    /// Masked in every answer.
    let phone: PhoneNumber
    let role: Role

    enum CodingKeys: String, CodingKey { case id, phone, role }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(phone.description, forKey: .phone)
        try container.encode(role.rawValue, forKey: .role)
    }
}

/// How long a session lives, in seconds, by the database's clock.
struct OperatorSessionLimits: Sendable {
    /// Without a request.
    var idle = 30 * 60
    /// In all.
    var absolute = 12 * 60 * 60
    /// `last_seen_at` is written no oftener than this; an idle session may end so much early, never late.
    var touch = 60
}

/// A session that was just begun.
struct BegunSession: Sendable {
    let id: SessionID
    let admin: Operator
    let createdAt: Date
}

/// A session that is alive, with the rights its operator has at this moment.
struct LiveSession: Sendable {
    let id: SessionID
    let admin: Operator
    /// Whether `last_seen_at` is due to be written.
    let isTouchDue: Bool
}

extension PhoneNumber {
    /// Why a number that otp-service sends no code to makes no operator.
    var whyNoCodes: String {
        if isMistyped { return "The number has a digit too many or too few." }
        let line =
            switch lineType {
            case .fixedLine: "is that of a landline"
            case .tollFree: "is that of a toll-free line"
            case .premiumRate: "is that of a premium-rate line"
            default: "is that of a line that receives no text messages"
            }
        return """
            The number \(line): codes are sent as text messages, so that its holder could never sign in. Use the number \
            of a mobile phone.
            """
    }
}
