import Foundation

/// The rule of sign-in, as pure values: what a verification token that is valid by its signature leads to.
enum SignIn {
    /// What became of a verification token before.
    enum Proof: Sendable, Hashable {
        /// No session names it.
        case unused
        /// It began this session.
        case used(Session)
    }

    /// Decides about a sign-in.
    static func decide(
        _ proof: Proof, expiresAt: Date, at now: Date, user: UserStatus?, signInNotBefore mark: Date?,
        needsConfirmation: Bool = false, limits: SessionLimits
    ) -> SignInOutcome {
        guard now < expiresAt + SignInStore.leeway else { return .expired }
        if user == .suspended { return .suspended }
        switch proof {
        case .unused: return needsConfirmation ? .unconfirmed : .opened
        case .used(let session):
            // Once it was refreshed the answer cannot have been lost, and its first tokens are not its current ones.
            let isRepeatable =
                session.generation == 0 && session.state(at: now, signInNotBefore: mark) == .live
                && now < session.createdAt + Double(limits.signInRepeat)
            return isRepeatable ? .repeated : .alreadyUsed
        }
    }
}

/// What signing in with a verification token leads to.
enum SignInOutcome: String, Sendable, CaseIterable {
    /// A session begins, and a user if the phone has none.
    case opened
    /// The token began a session a moment ago, and the answer may have been lost: the same tokens are given again.
    case repeated
    /// The token began a session before.
    case alreadyUsed = "already_used"
    /// The user may not sign in until an administrator says so; the token is not used up.
    case suspended
    /// The phone was not used for so long that it may be somebody else's now; the token is not used up.
    case unconfirmed
    /// The token expired by the database's clock.
    case expired
}
