import Identity

extension Role {
    /// What the role may do, in a sentence.
    var rights: String {
        switch self {
        case .viewer: "Sees everything that is not a secret, phones masked; changes nothing."
        case .support: "Sees everything, reveals phones, suspends and signs out users, allows and blocks destinations."
        case .owner: "Does what support does, and adds, removes and changes operators."
        }
    }
}
