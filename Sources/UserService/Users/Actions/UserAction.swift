/// What an operator may do with a user; the database's check `user_actions_action_known` has the same words.
enum UserAction: String, Sendable, CaseIterable {
    /// Ends all sessions; nobody signs in until the user is reactivated.
    case suspend
    /// Lifts a suspension. What was ended by it stays ended.
    case reactivate
    /// Ends all sessions; the user may sign in again at once.
    case signOut = "sign-out"

    /// Where the action leaves a user, or nil if it cannot be done with one that stands so.
    func applied(to status: UserStatus) -> UserStatus? {
        switch (self, status) {
        case (_, .deleted): nil
        case (.suspend, _): .suspended
        case (.reactivate, _): .active
        case (.signOut, _): status
        }
    }
}

/// What came of an action.
enum UserActionOutcome: String, Sendable, CaseIterable {
    /// The user stands as wanted, by this request or an earlier one.
    case done
    /// There is no such user.
    case unknown
    /// The user is deleted.
    case deleted
    /// The key belongs to another action or another user.
    case keyReused = "key_reused"
}

/// The value of an `Idempotency-Key`: 1 to 64 visible characters of ASCII.
struct ActionKey: Sendable, Hashable {
    let text: String

    init?(_ text: String) {
        guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return nil
        }
        self.text = text
    }
}
