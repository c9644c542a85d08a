/// A user as the pages show them: read from the answer that the API gives, in which phones are masked already.
struct ShownUser: Sendable, Decodable {
    let id: String
    let phone: String?
    let displayName: String?
    let status: String
    let createdAt: WireTime
    let lastSignInAt: WireTime?

    /// The names are those of what is read here.
    typealias CodingKeys = DirectoryEntry.CodingKeys

    /// The name; without one the phone; a deleted user has neither.
    var title: String { displayName ?? phone ?? "Deleted user" }

    /// At most two letters for the round mark beside the name.
    var initials: String {
        guard let displayName else { return "#" }
        let letters = displayName.split(separator: " ").prefix(2).compactMap(\.first).filter(\.isLetter)
        return letters.isEmpty ? "#" : String(letters).uppercased()
    }

    /// One of six colours, always the same for a user.
    var colour: String {
        "hue-\(id.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF } % 6)"
    }

    /// How a status looks.
    static func tone(_ status: String) -> String {
        switch status {
        case "active": "good"
        case "suspended": "warning"
        default: "quiet"
        }
    }
}
