/// One user: user-service's answer, and with the masked phone our own.
struct DirectoryUser: Sendable, Codable {
    let entry: DirectoryEntry
    let asOf: WireTime

    private enum CodingKeys: String, CodingKey {
        case asOf = "as_of"
    }

    init(from decoder: any Decoder) throws {
        entry = try DirectoryEntry(from: decoder)
        asOf = try decoder.container(keyedBy: CodingKeys.self).decode(WireTime.self, forKey: .asOf)
    }

    func encode(to encoder: any Encoder) throws {
        try entry.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(asOf, forKey: .asOf)
    }
}
