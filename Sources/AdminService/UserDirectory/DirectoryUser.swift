/// One user with the live sessions: user-service's answer, and with the masked phone our own.
struct DirectoryUser: Sendable, Codable {
    /// A session as the directory shows it.
    struct Session: Sendable, Codable {
        let id: String
        let deviceName: String?
        let createdAt: WireTime
        let refreshedAt: WireTime
        let expiresAt: WireTime

        enum CodingKeys: String, CodingKey {
            case id
            case deviceName = "device_name"
            case createdAt = "created_at"
            case refreshedAt = "refreshed_at"
            case expiresAt = "expires_at"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(id, forKey: .id)
            try container.encode(deviceName, forKey: .deviceName)
            try container.encode(createdAt, forKey: .createdAt)
            try container.encode(refreshedAt, forKey: .refreshedAt)
            try container.encode(expiresAt, forKey: .expiresAt)
        }
    }

    let entry: DirectoryEntry
    let sessions: [Session]
    let asOf: WireTime

    private enum CodingKeys: String, CodingKey {
        case sessions
        case asOf = "as_of"
    }

    init(from decoder: any Decoder) throws {
        entry = try DirectoryEntry(from: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        sessions = try container.decode([Session].self, forKey: .sessions)
        asOf = try container.decode(WireTime.self, forKey: .asOf)
    }

    func encode(to encoder: any Encoder) throws {
        try entry.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(sessions, forKey: .sessions)
        try container.encode(asOf, forKey: .asOf)
    }
}
