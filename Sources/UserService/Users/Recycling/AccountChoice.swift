import Foundation

/// What the holder of a phone wants that was not used for long, and may have been somebody else's before.
///
/// A network gives an unused number to somebody else after some months, so that a proof of the phone is no proof any more of
/// being the account's owner. Nobody gets such an account by the phone alone: the owner names the account's e-mail address,
/// which a stranger does not know; anybody may begin anew, which closes and erases the old account.
enum AccountChoice: Sendable, Hashable {
    /// To sign in to the account that there is, as its owner.
    case goOn(email: String)
    /// To begin a new account with the phone.
    case beginAnew

    /// How often a wrong address may be named in a day.
    static let failureLimit = 5

    /// Reads the members of a sign-in: nil if it has neither. Throws `InvalidAccountChoice`.
    static func read(account: String?, email: String?) throws(InvalidAccountChoice) -> AccountChoice? {
        switch (account, email) {
        case (nil, nil): return nil
        case ("new", nil): return .beginAnew
        case ("continue", let email?):
            guard let stored = ProfileField.email.stored(email) else { throw .email }
            return .goOn(email: stored)
        case ("continue", nil), ("new", _), (nil, _): throw .email
        default: throw .account
        }
    }
}

/// The member of a sign-in that makes no choice.
enum InvalidAccountChoice: Error, Hashable {
    case account
    case email
}

/// The rule of recycled phones, as pure values; `phone_may_be_recycled` and `confirm_account` in the schema say the same.
struct RecycledPhone: Sendable, Hashable {
    /// The last sign-in, or when the account was made if there was none.
    var lastUsedAt: Date
    var confirmedUntil: Date?
    var email: String?
    var failures = 0
    /// The first of these failures.
    var failedAt: Date?

    /// Whether the phone may have gone to somebody else; `days` is `PHONE_RECYCLE_DAYS`, 0 for never.
    func needsConfirmation(at now: Date, days: Int) -> Bool {
        days > 0 && lastUsedAt < now - Double(days) * 86_400 && (confirmedUntil.map { $0 <= now } ?? true)
    }

    /// Names an address; false for a wrong one.
    mutating func confirm(_ typed: String, at now: Date, days: Int) -> Bool {
        guard needsConfirmation(at: now, days: days) else { return true }
        if failedAt.map({ $0 <= now - 86_400 }) ?? true { failures = 0 }
        guard failures < AccountChoice.failureLimit else { return false }
        if let email, email.lowercased() == typed.lowercased() {
            confirmedUntil = now + 60
            (failures, failedAt) = (0, nil)
            return true
        }
        if failures == 0 { failedAt = now }
        failures += 1
        return false
    }
}
