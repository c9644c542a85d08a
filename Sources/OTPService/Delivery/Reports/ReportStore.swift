package import Foundation
import Identity
package import Postgres

/// Writes reports into the messages they are about. Throws `PostgresError`.
package struct ReportStore: Sendable {
    let postgres: PostgresClient

    /// Writes to this database.
    package init(postgres: PostgresClient) {
        self.postgres = postgres
    }

    /// Applies reports in one statement; any of them may be late, repeated or of a message that is not there.
    ///
    /// - Returns: how many named a message that was handed over, and how many messages have another state now.
    package func apply(
        _ reports: [DeliveryReport], at moment: Date? = nil
    ) async throws(PostgresError) -> (known: Int, changed: Int) {
        let none = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
        let rows = try await postgres.write(
            """
            SELECT known, changed FROM apply_delivery_reports(
                \(moment), \(reports.map { $0.name?.challengeID.uuid ?? none }), \(reports.map { $0.name?.number ?? 0 }),
                \(reports.map { $0.gatewayID ?? "" }), \(reports.map { $0.phone?.e164 ?? "" }),
                \(reports.map(\.state.rawValue)), \(reports.map { $0.reason?.rawValue ?? "" }))
            """)
        guard let row = rows.first else { return (0, 0) }
        return try row.decode((Int, Int).self)
    }
}
