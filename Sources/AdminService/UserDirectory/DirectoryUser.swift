/// One user with the live sessions: user-service's answer, and with the masked phone our own.
struct DirectoryUser: Sendable, Codable {
    /// A session as the directory shows it.
    struct Session: Sendable, Codable {
        let id: String
        let deviceName: String?
        /// The network it was begun from.
        let address: String?
        let createdAt: WireTime
        let refreshedAt: WireTime
        let expiresAt: WireTime

        enum CodingKeys: String, CodingKey {
            case id, address
            case lastUsedAt = "last_used_at"
            case deviceName = "device_name"
            case createdAt = "created_at"
            case refreshedAt = "refreshed_at"
            case expiresAt = "expires_at"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            id = try container.decode(String.self, forKey: .id)
            deviceName = try container.decodeIfPresent(String.self, forKey: .deviceName)
            address = try container.decodeIfPresent(String.self, forKey: .address)
            createdAt = try container.decode(WireTime.self, forKey: .createdAt)
            refreshedAt =
                try container.decodeIfPresent(WireTime.self, forKey: .lastUsedAt)
                ?? container.decode(WireTime.self, forKey: .refreshedAt)
            expiresAt = try container.decode(WireTime.self, forKey: .expiresAt)
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(id, forKey: .id)
            try container.encode(deviceName, forKey: .deviceName)
            try container.encode(address, forKey: .address)
            try container.encode(createdAt, forKey: .createdAt)
            try container.encode(refreshedAt, forKey: .lastUsedAt)
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
