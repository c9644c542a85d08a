import Metrics

/// The service's own metrics.
enum UserMetrics {
    /// Counts a sign-in by its outcome.
    static func signedIn(_ outcome: SignInOutcome) {
        Counter(label: "sign_ins_total", dimensions: [("outcome", outcome.rawValue)]).increment()
    }

    /// Counts a refresh by its outcome.
    static func refreshed(_ outcome: RefreshOutcome) {
        Counter(label: "refreshes_total", dimensions: [("outcome", outcome.rawValue)]).increment()
    }

    /// Counts an action of an operator by its outcome.
    static func acted(_ action: UserAction, _ outcome: UserActionOutcome) {
        let dimensions = [("action", action.rawValue), ("outcome", outcome.rawValue)]
        Counter(label: "user_actions_total", dimensions: dimensions).increment()
    }

    /// Counts a wish to change a phone by its outcome.
    static func phoneChanged(_ outcome: PhoneChangeOutcome) {
        Counter(label: "phone_changes_total", dimensions: [("outcome", outcome.rawValue)]).increment()
    }
}
