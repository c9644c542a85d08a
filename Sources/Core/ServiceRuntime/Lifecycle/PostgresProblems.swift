package import HTTPServer
package import Postgres

extension Problem {
    /// 503 with `Retry-After` if the database is away, slow or overloaded; nil for everything else, which is a defect.
    package init?(_ error: PostgresError) {
        guard error.isUnavailable || error.kind == .cancelled else { return nil }
        self.init(.serviceUnavailable, retryAfter: 1)
    }
}

/// Why a command could not work with the database, in sentences for whoever typed it.
struct DatabaseFailure: Error, CustomStringConvertible {
    let description: String

    /// Nil for a defect, whose own description says more.
    /// - Parameter variable: the setting with the URL of the database.
    init?(_ error: PostgresError, variable: String) {
        let advice = "Start it, or correct \(variable) (the command check tells whether it is reached)"
        switch error.kind {
        case .unavailable:
            description = "The database gives no answer, and nothing was done. \(advice), then repeat the command."
        case .timeout, .outcomeUnknown:
            description =
                "The database's answer was lost: it may have been done or not. \(advice), then repeat the command."
        case .server where error.isUnavailable:
            let state = error.sqlState?.description ?? "unknown"
            description = "The database cannot do it now (SQLSTATE \(state)), and nothing was done."
        case .server where error.sqlState == .undefinedTable:
            description = "The database has no schema yet, or an old one. Run the command migrate first."
        case .server, .decoding, .cancelled, .configuration: return nil
        }
    }
}
