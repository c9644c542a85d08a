/// What other services know of user-service's changes: revoked tokens, not-before marks, changed users.
///
///     user-service                          a service that takes users' tokens, or remembers users
///     changes ─▶ GET /internal/changes ─▶ ChangeFollower ─▶ RevocationSet   is this token revoked?
///     keys    ─▶ /.well-known/jwks.json ─▶ PublishedKeys └─▶ onChange       which users are to be forgotten?
///
/// - ``ChangeFollower`` is a `Service`. It reads the complete state of revocations, then long-polls. A change is here
///   within a second (in most cases some ten milliseconds after its commit), also if user-service hears no notification.
/// - ``RevocationSet`` answers from memory. Once the feed is older than ten seconds it answers `.unknown` about tokens that
///   it does not know to be revoked, and whoever asks has to refuse with 503.
/// - ``PublishedKeys`` are the public keys for `JWT_ALGORITHM=EdDSA`.
package enum ChangeFeed {
    /// A service does not judge tokens by a feed that is older.
    package static let oldestFeed = Duration.seconds(10)
}
