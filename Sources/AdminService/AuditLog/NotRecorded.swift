import Postgres

/// The database refused a statement that writes an audit row, and with it all that the statement would have done.
struct NotRecorded: Error, CustomStringConvertible {
    let cause: PostgresError

    var description: String { "an act could not be recorded: \(cause)" }

    /// Nil for what says nothing about the row: a database that is away, slow or overloaded, or without a schema.
    init?(_ cause: PostgresError) {
        guard cause.kind == .server, !cause.isUnavailable, cause.sqlState != .undefinedTable else { return nil }
        self.cause = cause
    }
}

extension PostgresClient {
    /// Runs a statement that writes an audit row, together with the change that the row tells of if there is one: what
    /// cannot be recorded is not done. Throws `NotRecorded` where the server refuses it, `PostgresError` where it is away.
    func record(_ query: PostgresQuery) async throws -> PostgresRows {
        do {
            return try await write(query)
        } catch {
            if let refusal = NotRecorded(error) { throw refusal }
            throw error
        }
    }
}
