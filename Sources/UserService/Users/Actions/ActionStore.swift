import Identity
import Postgres

/// Actions of operators in SQL.
struct ActionStore: Sendable {
    let postgres: PostgresClient

    /// Does an action, or finds that its key did it before; returns how many sessions ended. Throws `PostgresError`.
    ///
    /// One statement: `act_on_account` in the schema.
    func act(
        _ action: UserAction, on user: UserID, key: ActionKey?
    ) async throws(PostgresError) -> (outcome: UserActionOutcome, sessionsEnded: Int) {
        let rows = try await postgres.write(
            "select outcome, sessions_ended from act_on_account(\(user.uuid), \(action.rawValue), \(key?.text))")
        guard let row = rows.first else { throw PostgresError(.decoding, "no outcome") }
        let (word, ended) = try row.decode((String, Int).self)
        guard let outcome = UserActionOutcome(rawValue: word) else {
            throw PostgresError(.decoding, "an unknown outcome")
        }
        return (outcome, ended)
    }

    /// Forgets the keys of actions that are older than a day, at most a thousand at a time. Throws `PostgresError`.
    func forgetKeys() async throws(PostgresError) -> Int {
        try await postgres.write(
            """
            delete from user_actions where key in (
                select key from user_actions where done_at < now() - interval '1 day'
                order by done_at limit 1000 for update skip locked)
            """
        ).affectedRows
    }
}
