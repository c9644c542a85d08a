import Identity

/// A user as the directory shows them: read with the whole phone, written with the masked one.
struct DirectoryEntry: Sendable, Codable {
    let id: UserID
    /// Nil when the user was deleted.
    let phone: PhoneNumber?
    let displayName: String?
    let status: String
    let createdAt: WireTime
    let lastSignInAt: WireTime?

    enum CodingKeys: String, CodingKey {
        case id, phone, status
        case displayName = "display_name"
        case createdAt = "created_at"
        case lastSignInAt = "last_sign_in_at"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(UserID.self, forKey: .id)
        phone = try container.decodeIfPresent(String.self, forKey: .phone).map { text in
            guard let phone = PhoneNumber(e164: text) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .phone, in: container, debugDescription: "not a phone number")
            }
            return phone
        }
        displayName = try container.decodeIfPresent(String.self, forKey: .displayName)
        status = try container.decode(String.self, forKey: .status)
        createdAt = try container.decode(WireTime.self, forKey: .createdAt)
        lastSignInAt = try container.decodeIfPresent(WireTime.self, forKey: .lastSignInAt)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(phone?.description, forKey: .phone)
        try container.encode(displayName, forKey: .displayName)
        try container.encode(status, forKey: .status)
        try container.encode(createdAt, forKey: .createdAt)
        try container.encode(lastSignInAt, forKey: .lastSignInAt)
    }
}

/// A page of the list: user-service's answer, and with masked phones our own.
struct DirectoryPage<User: Sendable>: Sendable {
    let users: [User]
    let nextCursor: String?
    let total: Int
    /// Whether `total` was counted to the end; else it is a lower bound or an estimate.
    let totalIsExact: Bool
    let asOf: WireTime

    enum CodingKeys: String, CodingKey {
        case users, total
        case nextCursor = "next_cursor"
        case totalIsExact = "total_is_exact"
        case asOf = "as_of"
    }
}

extension DirectoryPage: Decodable where User: Decodable {}

extension DirectoryPage: Encodable where User: Encodable {
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(users, forKey: .users)
        // Null on the last page.
        try container.encode(nextCursor, forKey: .nextCursor)
        try container.encode(total, forKey: .total)
        try container.encode(totalIsExact, forKey: .totalIsExact)
        try container.encode(asOf, forKey: .asOf)
    }
}
