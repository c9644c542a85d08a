import Identity

/// A code on its way to a phone: one entry of otp-service's `GET /internal/challenges`, and our own with the phone masked.
///
/// The id of a challenge is left out: together with the code it is a proof.
struct DeliveredMessage: Sendable, Codable {
    /// Read as it comes, masked or whole; always written masked.
    let phone: String
    let country: String?
    let purpose: String?
    let channel: String?
    /// How its delivery stands: `queued`, `submitted`, `delivered`, `failed`.
    let state: String?
    /// How its challenge stands: `active`, `verified`, `expired` and so on.
    let status: String?
    /// Why it failed, in otp-service's words.
    let reason: String?
    let attempts: Int?
    let resends: Int?
    let createdAt: WireTime
    let submittedAt: WireTime?
    let deliveredAt: WireTime?
    let verifiedAt: WireTime?

    enum CodingKeys: String, CodingKey {
        case phone, country, purpose, channel, state, status, reason, attempts, resends
        case createdAt = "created_at"
        case submittedAt = "submitted_at"
        case deliveredAt = "delivered_at"
        case verifiedAt = "verified_at"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(maskedPhone, forKey: .phone)
        try container.encode(country, forKey: .country)
        try container.encode(purpose, forKey: .purpose)
        try container.encode(channel, forKey: .channel)
        try container.encode(state, forKey: .state)
        try container.encode(status, forKey: .status)
        try container.encode(reason, forKey: .reason)
        try container.encode(attempts, forKey: .attempts)
        try container.encode(resends, forKey: .resends)
        try container.encode(createdAt, forKey: .createdAt)
        try container.encode(submittedAt, forKey: .submittedAt)
        try container.encode(deliveredAt, forKey: .deliveredAt)
        try container.encode(verifiedAt, forKey: .verifiedAt)
    }

    /// Masked here if it came whole.
    var maskedPhone: String { PhoneNumber(e164: phone)?.description ?? phone }
}

/// A page of messages, the latest first.
struct MessagePage: Sendable, Codable {
    let messages: [DeliveredMessage]
    let nextCursor: String?
    let asOf: WireTime

    enum CodingKeys: String, CodingKey {
        case messages, challenges
        case nextCursor = "next_cursor"
        case asOf = "as_of"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        messages =
            try container.decodeIfPresent([DeliveredMessage].self, forKey: .messages)
            ?? container.decode([DeliveredMessage].self, forKey: .challenges)
        nextCursor = try container.decodeIfPresent(String.self, forKey: .nextCursor)
        asOf = try container.decode(WireTime.self, forKey: .asOf)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(messages, forKey: .messages)
        try container.encode(nextCursor, forKey: .nextCursor)
        try container.encode(asOf, forKey: .asOf)
    }
}
