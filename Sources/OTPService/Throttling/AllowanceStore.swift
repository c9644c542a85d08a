package import Foundation
package import HTTPServer
package import Postgres

/// What the database has given of a network's allowance of requests.
package struct RequestLease: Sendable, Hashable {
    /// How many requests it has charged; 0: there is nothing left.
    package let granted: Int
    /// What is left besides.
    package let remaining: Int
    /// Microseconds until there is one more.
    package let wait: Int
}

/// The networks' allowances of requests in the database. Everything throws `PostgresError`.
package struct AllowanceStore: Sendable {
    let postgres: PostgresClient
    let limits: SendLimits

    /// A store that keeps these limits.
    package init(postgres: PostgresClient, limits: SendLimits) {
        self.postgres = postgres
        self.limits = limits
    }

    /// Charges `needed` requests to a network, or as many as are left, and up to `spare` more while plenty is left.
    package func lease(
        _ network: ClientAddress, needed: Int, spare: Int, at moment: Date? = nil
    ) async throws(PostgresError) -> RequestLease {
        let part = NetworkPart(network.description, limits.network, requests: limits.requests)
        let rows = try await postgres.write(
            """
            SELECT granted, remaining, wait FROM lease_requests(
                \(moment), \(part.key), \(part.requests.step), \(part.requests.window), \(needed), \(spare), false)
            """)
        guard let row = rows.first else { throw PostgresError(.decoding, "no row where one was promised") }
        let (granted, remaining, wait) = try row.decode((Int, Int, Int).self)
        return RequestLease(granted: granted, remaining: remaining * part.parts, wait: wait)
    }
}
