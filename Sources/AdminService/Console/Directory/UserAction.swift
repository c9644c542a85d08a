import Identity

/// What support does to a user, as the page offers it.
enum UserAction: String, Sendable, CaseIterable {
    case reveal
    case signOut = "sign-out"
    case suspend, reactivate, unlock

    /// What another service carries out; nil for what is only shown.
    var remote: RemoteAction? {
        switch self {
        case .reveal: nil
        case .signOut: .signOut
        case .suspend: .suspend
        case .reactivate: .reactivate
        case .unlock: .unlock
        }
    }

    var title: String {
        switch self {
        case .reveal: "Reveal the phone"
        case .signOut: "Sign out everywhere"
        case .suspend: "Suspend"
        case .reactivate: "Reactivate"
        case .unlock: "Unlock the phone"
        }
    }

    /// What it does, before it is done.
    var effect: String {
        switch self {
        case .reveal: "Shows the whole number once. That you saw it is recorded."
        case .signOut: "Ends all sessions within a second. The user can sign in again."
        case .suspend: "Ends all sessions and lets nobody sign in with this phone until reactivated."
        case .reactivate: "Lets the user sign in again."
        case .unlock: "Lifts the lock that too many wrong codes have put on the phone."
        }
    }

    /// What it did.
    var done: String {
        switch self {
        case .reveal: "The phone was shown."
        case .signOut: "The user is signed out everywhere."
        case .suspend: "The user is suspended and signed out everywhere."
        case .reactivate: "The user can sign in again."
        case .unlock: "The phone is not locked any more."
        }
    }

    var isDangerous: Bool { self == .suspend || self == .signOut }

    /// Those that make sense for a status, and for a phone that can be unlocked or not.
    static func offered(for status: String, canBeUnlocked: Bool) -> [UserAction] {
        let unlock: [UserAction] = canBeUnlocked ? [.unlock] : []
        return switch status {
        case "active": [.reveal, .signOut, .suspend] + unlock
        case "suspended": [.reveal, .reactivate] + unlock
        default: []
        }
    }
}

/// The actions as the template wants them.
struct UserActionsView: Sendable {
    struct Item: Sendable {
        let name: String
        let title: String
        let effect: String
        let isDangerous: Bool
        let isOpen: Bool
        /// The same form sent twice does it once.
        let key: String
    }

    let items: [Item]

    /// Nil if nothing can be done.
    init?(status: String, canBeUnlocked: Bool) {
        items = UserAction.offered(for: status, canBeUnlocked: canBeUnlocked).map { action in
            Item(
                name: action.rawValue, title: action.title, effect: action.effect, isDangerous: action.isDangerous,
                isOpen: false, key: AuditID().description)
        }
        if items.isEmpty { return nil }
    }
}
