package import Postgres

/// How a database's schema compares with what a program needs.
package enum SchemaStatus: Sendable, Hashable {
    case current
    /// Some migrations are not applied yet; `serve` must not start on such a schema.
    case outdated(pending: [Int])
    /// The server cannot be asked now.
    case unreachable
}

extension MigrationSet {
    /// Asks the database. Throws what is neither absence of the server nor of the table.
    package func status(_ client: PostgresClient) async throws(PostgresError) -> SchemaStatus {
        do throws(PostgresError) {
            let rows = try await client.read("SELECT version FROM schema_migrations")
            var applied: Set<Int> = []
            for row in rows { applied.insert(try row.decode(Int.self)) }
            let pending = migrations.map(\.version).filter { !applied.contains($0) }
            return pending.isEmpty ? .current : .outdated(pending: pending)
        } catch {
            if error.sqlState == .undefinedTable { return .outdated(pending: migrations.map(\.version)) }
            if error.isUnavailable { return .unreachable }
            throw error
        }
    }
}
