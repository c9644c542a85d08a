import Foundation
import Tokens

/// The rule of a change of phone, as pure values; `change_phone` in the schema says the same.
enum PhoneChange {
    /// A session may change the phone for so long after it began, in seconds.
    static let freshFor = 600
    /// For so long the same proof gives the same answer, in seconds.
    static let repeatFor = 60

    /// What the database knows when a change is asked for.
    struct Facts: Sendable, Hashable {
        /// Whether the access token is good.
        var isLive = true
        var sessionBeganAt: Date
        var tokenIssuedAt: Date
        /// When the proof was used, and whether this user has the phone by it.
        var usedAt: Date?
        var usedForThis = false
        /// With the leeway for clocks.
        var proofEndsAt: Date
        /// Whether another user who is not deleted has the phone.
        var isTaken = false
    }

    /// Decides about a change.
    static func decide(_ facts: Facts, at now: Date) -> PhoneChangeOutcome {
        guard facts.isLive else { return .revoked }
        if let usedAt = facts.usedAt {
            return facts.usedForThis && now < usedAt + Double(repeatFor) ? .changed : .alreadyUsed
        }
        guard now < facts.proofEndsAt else { return .expired }
        guard min(facts.sessionBeganAt, facts.tokenIssuedAt) > now - Double(freshFor) else { return .stale }
        return facts.isTaken ? .inUse : .changed
    }
}

/// What asking for a change of phone leads to.
enum PhoneChangeOutcome: String, Sendable, CaseIterable {
    /// The user has the new phone, and of the sessions only the one that asked is left.
    case changed
    /// The access token has been revoked.
    case revoked
    /// The session began too long ago.
    case stale
    /// The proof expired by the database's clock.
    case expired
    /// The proof changed a phone before.
    case alreadyUsed = "already_used"
    /// Another user has the phone.
    case inUse = "in_use"
}
