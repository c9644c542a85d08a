import Postgres
import Tokens

/// Ends the session of an access token, or all of its user's.
struct SignOut: Sendable {
    let store: RevocationStore
    let signal: ChangeSignal

    /// Signs out. Throws `SignOutError` or `PostgresError`.
    ///
    /// A token that was revoked already is at its goal: the client may ask again when an answer was lost. But it has
    /// no right to end sessions other than its own.
    func callAsFunction(_ token: AccessToken, everywhere: Bool) async throws {
        if everywhere {
            guard try await store.endAllSessions(of: token) else { throw SignOutError.revoked }
        } else {
            try await store.endSession(of: token, reason: .logout)
        }
        signal.give()
    }
}

/// Why a token signs nobody out.
enum SignOutError: Error, Hashable {
    /// It has been revoked itself.
    case revoked
}
