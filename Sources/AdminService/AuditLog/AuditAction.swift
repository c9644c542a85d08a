/// What is recorded. The names are part of the published contract of the audit log.
enum AuditAction: String, Sendable, CaseIterable {
    case operatorCreated = "operator.created"
    case operatorDisabled = "operator.disabled"
    case roleChanged = "operator.role_changed"
    case signedIn = "operator.signed_in"
    /// A wrong second factor.
    case signInFailed = "operator.sign_in_failed"
    /// A good phone proof that was of no use; once per proof and reason.
    case signInRefused = "operator.sign_in_refused"
    case signedOut = "operator.signed_out"
    /// A request that the operator's role does not allow.
    case denied = "operator.denied"
    case userSuspended = "user.suspended"
    case userReactivated = "user.reactivated"
    case userSignedOut = "user.signed_out"
    /// Somebody saw the whole number.
    case phoneRevealed = "user.phone_revealed"
    /// Users were looked for by more of a phone than its mask shows.
    case usersSearchedByPhone = "users.searched_by_phone"
    /// The lock after too many wrong codes was lifted.
    case phoneUnlocked = "user.phone_unlocked"
    case destinationAllowed = "destination.allowed"
    case destinationBlocked = "destination.blocked"
    case destinationReset = "destination.reset"
    case sendingPaused = "sending.paused"
    case sendingResumed = "sending.resumed"
    case auditLogExported = "audit_log.exported"
    case cacheCleared = "cache.cleared"
}
