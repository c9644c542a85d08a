/// A five-character condition code of the server (PostgreSQL manual, appendix A).
package struct SQLState: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }
    package init(stringLiteral value: String) { self.rawValue = value }

    package var description: String { rawValue }

    package static let uniqueViolation: SQLState = "23505"
    package static let checkViolation: SQLState = "23514"
    package static let foreignKeyViolation: SQLState = "23503"
    package static let characterNotInRepertoire: SQLState = "22021"
    package static let serializationFailure: SQLState = "40001"
    package static let deadlockDetected: SQLState = "40P01"
    package static let lockNotAvailable: SQLState = "55P03"
    package static let queryCanceled: SQLState = "57014"
    package static let readOnlyTransaction: SQLState = "25006"
    package static let inFailedTransaction: SQLState = "25P02"
    package static let featureNotSupported: SQLState = "0A000"
    package static let invalidStatementName: SQLState = "26000"
    package static let undefinedTable: SQLState = "42P01"

    /// Whether the server rolled everything back and the same work may simply be tried again (manual, 13.5).
    package var isRetryable: Bool { self == .serializationFailure || self == .deadlockDetected }

    /// Whether the server, not the statement, is in trouble: shutting down, out of memory, disk or connections,
    /// a lock or a statement that took too long, a node that became read-only.
    package var isUnavailability: Bool {
        switch rawValue.prefix(2) {
        case "08", "53", "57", "58", "XX": true
        default: isRetryable || self == .lockNotAvailable || self == .readOnlyTransaction
        }
    }

    /// Whether the session ends with it, whatever the statement was: connection exceptions, and an operator's or a crash's
    /// shutdown.
    var endsSession: Bool { rawValue.hasPrefix("08") || rawValue.hasPrefix("57P") }

    /// Whether a connection that answered so must not be used again: its server lost the right to write, or its
    /// prepared statements no longer fit the schema.
    var spoilsConnection: Bool {
        self == .readOnlyTransaction || self == .featureNotSupported || self == .invalidStatementName
    }
}
