import Foundation

/// The rule of sessions, as pure values; `SessionStore` and `SignInStore` say the same in SQL, and a test drives both
/// with the same events.
struct Session: Sendable, Hashable {
    let createdAt: Date
    let absoluteExpiresAt: Date
    var idleExpiresAt: Date
    var rotatedAt: Date
    /// How often the refresh token was rotated.
    var generation = 0
    var end: EndReason?

    /// Begins a session.
    init(at now: Date, limits: SessionLimits) {
        createdAt = now
        rotatedAt = now
        absoluteExpiresAt = now + Double(limits.absoluteLifetime)
        idleExpiresAt = min(now + Double(limits.idleLifetime), absoluteExpiresAt)
    }

    /// Where a session stands.
    enum State: Sendable, Hashable {
        /// Its access tokens are good and its refresh token can be rotated.
        case live
        /// Was not refreshed for too long; nothing revives it.
        case idle
        /// Reached its absolute end, however often it was refreshed.
        case expired
        /// Somebody ended it.
        case ended(EndReason)
        /// Began at or before the moment at which its user was signed out everywhere.
        case void
    }

    /// Judges the session at a moment.
    func state(at now: Date, signInNotBefore mark: Date?) -> State {
        if let end { return .ended(end) }
        if let mark, createdAt <= mark { return .void }
        if now >= absoluteExpiresAt { return .expired }
        if now >= idleExpiresAt { return .idle }
        return .live
    }

    /// Presents the refresh token of a generation.
    mutating func refresh(
        presenting presented: Int, at now: Date, user: UserStatus, signInNotBefore mark: Date?, limits: SessionLimits
    ) -> RefreshOutcome {
        guard user == .active, state(at: now, signInNotBefore: mark) == .live else { return .refused }
        if presented == generation {
            generation += 1
            rotatedAt = now
            idleExpiresAt = min(now + Double(limits.idleLifetime), absoluteExpiresAt)
            return .rotated
        }
        if presented == generation - 1, now < rotatedAt + Double(limits.refreshGrace) { return .repeated }
        end = .refreshReused
        return .reused
    }
}

/// What presenting a refresh token leads to.
enum RefreshOutcome: String, Sendable, CaseIterable {
    /// It was the current one: a successor takes its place.
    case rotated
    /// It was replaced a moment ago, so that the answer may have been lost: the same successor is given again.
    case repeated
    /// It was replaced long since, so that two parties have it: the session is over for both (RFC 9700 §4.14.2).
    case reused
    /// It is no token of ours, or its session is not live.
    case refused
}

/// Why a session ended; the database's check `sessions_end_reason_known` has the same words.
enum EndReason: String, Sendable, CaseIterable {
    case logout
    case logoutEverywhere = "logout_everywhere"
    case refreshReused = "refresh_reused"
    case suspended
    case signedOut = "signed_out"
    case phoneChanged = "phone_changed"
    case deleted
    /// Its owner ended it from the list of sessions, or a client gave up its token (RFC 7009).
    case revoked
    /// Its user had begun too many others since.
    case tooMany = "too_many"
    /// Its phone went to somebody else.
    case recycled
}

/// How long things last, in seconds.
struct SessionLimits: Sendable, Hashable {
    /// `ACCESS_TOKEN_TTL`.
    var accessLifetime = 900
    /// `REFRESH_TOKEN_TTL`: a session that is not refreshed for so long is over.
    var idleLifetime = 14 * 86_400
    /// A session is over then in any case (NIST SP 800-63B-4 §2.1.3).
    var absoluteLifetime = 30 * 86_400
    /// For so long the refresh token that was just replaced gives the same successor.
    var refreshGrace = 10
    /// The live sessions that a user may have; one more ends the oldest.
    var maximumSessions = 50
    /// For so long a verification token gives the session again that it began.
    var signInRepeat = 60
    /// `PHONE_RECYCLE_DAYS`, in days: a phone that was not used for so long may be somebody else's. 0 for never.
    var phoneRecycleDays = 180
}
