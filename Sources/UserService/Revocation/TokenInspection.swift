import Foundation
import Identity
import Postgres
import Tokens

/// What is told about a token that is live (RFC 7662 §2.2); nothing is told about any other.
struct LiveToken: Sendable, Hashable {
    let userID: UserID
    let sessionID: SessionID
    /// Nil for a refresh token.
    let id: UUID?
    let issuedAt: Date
    let expiresAt: Date
}

/// Looks at tokens for others (RFC 7662) and takes back those that their holders give up (RFC 7009).
struct TokenInspection: Sendable {
    let postgres: PostgresClient
    let verifier: TokenVerifier
    let refreshTokens: RefreshTokens
    let store: RevocationStore
    let signal: ChangeSignal

    /// What there is to say about a token; nil unless it is a live access or refresh token. Throws `PostgresError`.
    func inspect(_ text: String) async throws(PostgresError) -> LiveToken? {
        if let token = refreshTokens.read(text) { return try await live(token) }
        guard let token = try? await verifier.access(text) else { return nil }
        return try await live(token)
    }

    /// Ends the session that a token belongs to; a token that is nobody's is revoked already. Throws `PostgresError`.
    ///
    /// An access token takes its session with it, as a sign-out does: what remained would be a refresh token whose
    /// holder has just said that it is done (RFC 7009 §2.1 allows it).
    func revoke(_ text: String) async throws(PostgresError) -> Revocation {
        if let token = refreshTokens.read(text) {
            try await store.endSession(of: token)
        } else if let token = try? await verifier.access(text) {
            try await store.endSession(of: token, reason: .revoked)
        } else if TokenVerifier.isOfOtherKind(text) {
            return .unsupported
        } else {
            return .done
        }
        signal.give()
        return .done
    }

    private func live(_ token: AccessToken) async throws(PostgresError) -> LiveToken? {
        let rows = try await postgres.read(
            """
            select u.id
            from live_user(\(token.sessionID.uuid), \(token.issuedAt), \(token.tokenHash), \(token.expiresAt)) u
            where u.id = \(token.userID.uuid)
            """)
        if rows.isEmpty { return nil }
        return LiveToken(
            userID: token.userID, sessionID: token.sessionID, id: token.id, issuedAt: token.issuedAt,
            expiresAt: token.expiresAt)
    }

    /// A refresh token is live as long as it is its session's current one: one that was replaced is as good as gone.
    private func live(_ token: RefreshToken) async throws(PostgresError) -> LiveToken? {
        let rows = try await postgres.read(
            """
            select u.id, s.rotated_at, s.idle_expires_at from sessions s join users u on u.id = s.user_id
            where s.id = \(token.sessionID.uuid) and s.refresh_hash = \(token.hash)
                and s.ended_at is null and s.idle_expires_at > now() and s.absolute_expires_at > now()
                and u.status = 'active' and (u.sign_in_not_before is null or u.sign_in_not_before < s.created_at)
            """)
        guard let row = rows.first else { return nil }
        let (user, issuedAt, expiresAt) = try row.decode((UUID, Date, Date).self)
        return LiveToken(
            userID: UserID(uuid: user), sessionID: token.sessionID, id: nil, issuedAt: issuedAt, expiresAt: expiresAt)
    }
}

/// What became of a wish to revoke a token.
enum Revocation: Sendable, Hashable {
    /// It is worth nothing now, or was so before.
    case done
    /// It is of a kind that cannot be revoked here (RFC 7009 §2.2.1).
    case unsupported
}
