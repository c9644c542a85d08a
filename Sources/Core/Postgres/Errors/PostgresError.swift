/// What went wrong between this process and PostgreSQL.
///
/// It prints its kind, SQLSTATE and constraint, never the server's message: messages and details quote values.
package struct PostgresError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        /// No usable connection within the checkout deadline; nothing was done.
        case unavailable
        /// No answer in time. A write may have happened.
        case timeout
        /// The connection died after a write or COMMIT was sent: it may have happened.
        case outcomeUnknown
        /// The server refused the statement; `sqlState` says why. Nothing was done.
        case server
        /// A result did not have the shape that the code asked for.
        case decoding
        /// The Swift task was cancelled.
        case cancelled
        /// The settings are unusable.
        case configuration
    }

    package let kind: Kind
    /// The server's condition code, when the server answered.
    package let sqlState: SQLState?
    /// The name of the violated constraint, for the one table that maps names to domain errors.
    package let constraint: String?
    /// Our own words, free of values.
    package let reason: String

    package init(_ kind: Kind, _ reason: String, sqlState: SQLState? = nil, constraint: String? = nil) {
        self.kind = kind
        self.reason = reason
        self.sqlState = sqlState
        self.constraint = constraint
    }

    /// Whether a caller should answer 503 and ask to come back: the database is away, slow or overloaded.
    package var isUnavailable: Bool {
        switch kind {
        case .unavailable, .timeout, .outcomeUnknown: true
        case .server: sqlState?.isUnavailability ?? false
        case .decoding, .cancelled, .configuration: false
        }
    }

    package var description: String {
        var text = "PostgresError(\(kind.rawValue): \(reason)"
        if let sqlState { text += ", SQLSTATE \(sqlState)" }
        if let constraint { text += ", constraint \(constraint)" }
        return text + ")"
    }
}
