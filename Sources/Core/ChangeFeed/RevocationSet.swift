import Identity
import Metrics
import Synchronization
package import Tokens

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What is known about an access token whose signature and times are right.
package enum TokenStanding: Sendable, Hashable {
    /// Not revoked, as of a second ago at the most while the feed flows, of ten if it does not.
    case live
    case revoked
    /// Nothing is known against it, but the feed is not there or too old to tell.
    case unknown
}

/// All revocations that still matter, in memory.
///
/// An entry is forgotten when the last token has expired that it is about, so that the set holds what was revoked within the
/// lifetime of an access token, however many there ever were: some hundred bytes each.
package final class RevocationSet: Sendable {
    private struct State {
        /// Until when each matters, in seconds since 1970.
        var tokens: [TokenHash: Double] = [:]
        var sessions: [SessionID: Double] = [:]
        /// The mark itself, in milliseconds since 1970; the later of all counts. As whole numbers, because the same millisecond
        /// in a token and in a mark need not be the same fraction of a second.
        var users: [UserID: Int64] = [:]
        /// As of when the set is known to be complete; nil until it was loaded.
        var asOf: ContinuousClock.Instant?
        var count: Int { tokens.count + sessions.count + users.count }
    }

    /// The longest life of an access token, `ACCESS_TOKEN_TTL` at most.
    static let longestLife: Double = 86_400
    /// Entries stay a minute beyond: the leeway for clocks, and as much again.
    static let margin: Double = 2 * TokenVerifier.leeway

    private let state = Mutex(State())

    /// Knows nothing yet.
    package init() {}

    /// Judges a token that was verified. Never waits.
    package func standing(of token: AccessToken, at now: ContinuousClock.Instant = .now) -> TokenStanding {
        guard let hash = TokenHash(token.tokenHash) else { return .unknown }
        return state.withLock { state in
            if state.tokens[hash] != nil || state.sessions[token.sessionID] != nil { return .revoked }
            if let mark = state.users[token.userID], Self.milliseconds(token.issuedAt) <= mark { return .revoked }
            guard let asOf = state.asOf, now - asOf <= ChangeFeed.oldestFeed else { return .unknown }
            return .live
        }
    }

    /// How long ago the set was known to be complete; nil until it was loaded.
    package func age(at now: ContinuousClock.Instant = .now) -> Duration? {
        state.withLock { state in state.asOf.map { now - $0 } }
    }

    /// How many entries there are.
    package var count: Int { state.withLock { $0.count } }

    /// Takes in what was read; `asOf` is the instant as of which it is complete, nil if more is to come.
    func apply(_ changes: [RevokingChange], asOf: ContinuousClock.Instant?) {
        state.withLock { state in
            for change in changes {
                switch change {
                case .token(let hash, let end):
                    let end = end.timeIntervalSince1970 + Self.margin
                    state.tokens[hash] = max(end, state.tokens[hash] ?? end)
                case .session(let id, let end):
                    let end = end.timeIntervalSince1970 + Self.margin
                    state.sessions[id] = max(end, state.sessions[id] ?? end)
                case .user(let id, let mark):
                    let mark = Self.milliseconds(mark)
                    state.users[id] = max(mark, state.users[id] ?? mark)
                }
            }
            if let asOf { state.asOf = max(asOf, state.asOf ?? asOf) }
        }
    }

    /// Of a time that has no finer part; times too far away to be one of ours are brought near.
    private static func milliseconds(_ date: Date) -> Int64 {
        Int64((min(max(date.timeIntervalSince1970, -1e11), 1e11) * 1000).rounded())
    }

    /// Forgets what no live token can need.
    func sweep(at now: Date = Date()) {
        let now = now.timeIntervalSince1970
        state.withLock { state in
            // Filtering copies: only if there is something to win.
            if state.tokens.values.contains(where: { $0 <= now }) { state.tokens = state.tokens.filter { $1 > now } }
            if state.sessions.values.contains(where: { $0 <= now }) {
                state.sessions = state.sessions.filter { $1 > now }
            }
            let oldest = Int64((now - Self.longestLife - Self.margin) * 1000)
            if state.users.values.contains(where: { $0 <= oldest }) { state.users = state.users.filter { $1 > oldest } }
        }
    }
}
