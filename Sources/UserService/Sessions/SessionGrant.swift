import Foundation
import HTTPServer
import Identity
import Postgres
import Tokens

/// What the database says about a session whose tokens are to be given out.
struct SessionGrant: Sendable {
    let sessionID: SessionID
    let generation: Int
    let refreshHash: [UInt8]
    let accessTokenID: UUID
    /// When the access token was issued.
    let issuedAt: Date
    let accessExpiresAt: Date
    let refreshExpiresAt: Date
    /// The database's clock.
    let now: Date
    let user: User

    /// The columns that `init(_:from:)` reads, of expressions with the columns of a session and of a user.
    static func columns(session: String, user: String) -> String {
        let own = [
            "id", "generation", "refresh_hash", "access_token_id", "rotated_at", "access_expires_at", "idle_expires_at",
        ]
        return own.map { "\(session).\($0)" }.joined(separator: ", ") + ", now(), " + User.columns(of: user)
    }

    /// Reads the columns from `first` on. Throws `.decoding`.
    init(_ row: PostgresRow, from first: Int) throws(PostgresError) {
        sessionID = SessionID(uuid: try row.decode(column: first))
        generation = try row.decode(column: first + 1)
        refreshHash = try row.decode(column: first + 2)
        accessTokenID = try row.decode(column: first + 3)
        issuedAt = try row.decode(column: first + 4)
        accessExpiresAt = try row.decode(column: first + 5)
        refreshExpiresAt = try row.decode(column: first + 6)
        now = try row.decode(column: first + 7)
        user = try User(row, from: first + 8)
    }
}

/// The tokens of a session as a client receives them.
struct SessionTokens: Sendable {
    let accessToken: String
    /// In seconds.
    let expiresIn: Int
    let refreshToken: RefreshToken
    /// In seconds.
    let refreshExpiresIn: Int
    let user: User

    /// The answer to a sign-in and a refresh.
    var json: String {
        var json = JSONText(capacity: 1024)
        json.open("{")
        json.member("access_token", accessToken)
        json.member("token_type", "Bearer")
        json.member("expires_in", expiresIn)
        json.member("refresh_token", refreshToken.text)
        json.member("refresh_expires_in", refreshExpiresIn)
        json.name("user")
        user.write(to: &json)
        json.close("}")
        return json.text
    }
}

/// Makes the tokens of a session from what the database said; the same grant gives the same tokens.
struct SessionIssuer: Sendable {
    let signer: TokenSigner
    let refreshTokens: RefreshTokens

    /// Returns nil if the refresh token cannot be made again, because its key was removed. Throws if signing does.
    func tokens(for grant: SessionGrant) async throws -> SessionTokens? {
        guard
            let refreshToken = refreshTokens.token(
                of: grant.sessionID, generation: grant.generation, hash: grant.refreshHash)
        else { return nil }
        let token = AccessToken(
            userID: grant.user.id, sessionID: grant.sessionID, id: grant.accessTokenID, issuedAt: grant.issuedAt,
            expiresAt: grant.accessExpiresAt)
        return SessionTokens(
            accessToken: try signer.sign(token, now: grant.now),
            expiresIn: Self.seconds(from: grant.now, to: token.expiresAt),
            refreshToken: refreshToken,
            refreshExpiresIn: Self.seconds(from: grant.now, to: grant.refreshExpiresAt),
            user: grant.user)
    }

    private static func seconds(from now: Date, to end: Date) -> Int {
        Int(max(0, min(end.timeIntervalSince(now), 1e9)))
    }
}
