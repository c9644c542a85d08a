package import HTTPServer
package import Postgres

extension Problem {
    /// 503 with `Retry-After` if the database is away, slow or overloaded; nil for everything else, which is a defect.
    package init?(_ error: PostgresError) {
        guard error.isUnavailable || error.kind == .cancelled else { return nil }
        self.init(.serviceUnavailable, retryAfter: 1)
    }
}
