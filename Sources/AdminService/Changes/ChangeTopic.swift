import Identity

/// What caches hold that has changed.
enum ChangeTopic: Sendable, Hashable {
    case all
    case destinations
    case user(UserID)

    /// The form in the table `admin_changes`.
    var text: String {
        switch self {
        case .all: "all"
        case .destinations: "destinations"
        case .user(let id): "user:\(id)"
        }
    }

    init?(_ text: String) {
        switch text {
        case "all": self = .all
        case "destinations": self = .destinations
        default:
            guard text.hasPrefix("user:"), let id = UserID(String(text.dropFirst(5))) else { return nil }
            self = .user(id)
        }
    }
}
