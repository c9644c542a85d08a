/// The states of destinations as pages name them.
enum DestinationWording {
    /// The word, and how it looks.
    static func state(_ state: String) -> (text: String, tone: String) {
        switch state {
        case "closed": ("flowing", "good")
        case "open": ("stopped", "bad")
        case "half-open", "half_open": ("trying", "warning")
        case "allowed": ("allowed", "role")
        case "blocked": ("blocked", "bad")
        default: (state, "quiet")
        }
    }
}
