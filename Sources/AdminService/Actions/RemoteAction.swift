import Identity

/// What operators do that another service carries out.
enum RemoteAction: String, Sendable, CaseIterable {
    case suspend, reactivate
    case signOut = "sign-out"
    case unlock
    case allow, block
    /// Neither: a destination is left to its breaker again.
    case reset
    /// All sending of codes.
    case pause, resume

    /// How the audit log names it.
    var audited: AuditAction {
        switch self {
        case .suspend: .userSuspended
        case .reactivate: .userReactivated
        case .signOut: .userSignedOut
        case .unlock: .phoneUnlocked
        case .allow: .destinationAllowed
        case .block: .destinationBlocked
        case .reset: .destinationReset
        case .pause: .sendingPaused
        case .resume: .sendingResumed
        }
    }

    /// Where it leaves its target, in a word.
    var after: String? {
        switch self {
        case .suspend: "suspended"
        case .reactivate: "active"
        case .allow: "allowed"
        case .block: "blocked"
        case .reset: "automatic"
        case .pause: "paused"
        case .resume: "running"
        case .signOut, .unlock: nil
        }
    }

    /// The action behind a name in the database.
    init?(audited name: String) {
        guard let action = Self.allCases.first(where: { $0.audited.rawValue == name }) else { return nil }
        self = action
    }
}

/// Whom or what an action is done to.
enum ActionTarget: Sendable, Hashable {
    case user(UserID)
    case destination(DestinationPrefix)
    /// All sending of codes.
    case sending
    /// A phone, which need not be a user's.
    case phone(PhoneNumber)

    var kind: String {
        switch self {
        case .user: "user"
        case .destination: "destination"
        case .sending: "sending"
        case .phone: "phone"
        }
    }

    /// As the audit log has it, which holds no phones.
    var audited: String {
        guard case .phone(let phone) = self else { return id }
        return phone.description
    }

    var id: String {
        switch self {
        case .user(let id): id.description
        case .destination(let prefix): prefix.text
        case .sending: "all"
        case .phone(let phone): phone.e164
        }
    }

    /// Reads what the database holds.
    init?(kind: String, id: String) {
        switch kind {
        case "user":
            guard let user = UserID(id) else { return nil }
            self = .user(user)
        case "destination":
            guard let prefix = DestinationPrefix(id) else { return nil }
            self = .destination(prefix)
        case "sending": self = .sending
        case "phone":
            guard let phone = PhoneNumber(e164: id) else { return nil }
            self = .phone(phone)
        default: return nil
        }
    }

    /// What caches drop when it has changed.
    var topic: ChangeTopic {
        switch self {
        case .user(let id): .user(id)
        case .destination, .sending, .phone: .destinations
        }
    }
}
