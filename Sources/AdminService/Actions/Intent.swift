import Identity

/// Names an intent; later its audit row.
typealias IntentID = AuditID

/// An act that was written down before the service that carries it out was asked.
///
///     pending ──▶ done      the service did it, or had done it
///        ├──────▶ failed    the service refused
///        └──────▶ unknown   no answer for an hour
///
/// Each arrow adds the one audit row. While pending, any instance may ask the service again: the id of the intent is its
/// `Idempotency-Key` there, so that asking twice does nothing twice.
struct Intent: Sendable {
    enum State: String, Sendable { case pending, done, failed, unknown }

    let id: IntentID
    let admin: AdminID
    let action: RemoteAction
    let target: ActionTarget
    let reason: Reason?
    /// How the target stood before, in a word, if it was known.
    var before: String?
    let origin: AuditOrigin
    let clientKey: ClientKey?
    var state = State.pending
    /// The problem code of what failed.
    var failure: String?

    /// Whether this is what another request asked for: the same act, not merely the same key.
    func isSame(as other: Intent) -> Bool {
        action == other.action && target == other.target && reason == other.reason
    }
}
