import Logging
import Postgres
import ServiceLifecycle

/// What a cleanup did.
struct CleanupReport: Sendable, Hashable {
    /// False if another instance was at it.
    var wasMine = true
    var partitionsMade = 0
    var partitionsDropped = 0
    var rowsDeleted = 0
    var sessionsDeleted = 0
}

/// Forgets expired revoked tokens and sessions that are long over, at start and then once in a while.
struct Cleanup: Service {
    let postgres: PostgresClient
    /// `BLACKLIST_CLEANUP_INTERVAL`.
    let interval: Duration
    let logger: Logger

    /// Runs until graceful shutdown; a cleanup that fails is tried again ten seconds later.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let succeeded = await attempt()
                try? await Task.sleep(for: succeeded ? interval : min(interval, .seconds(10)))
            }
        }
    }

    private func attempt() async -> Bool {
        do {
            let report = try await clean()
            logger.info("Expired tokens and sessions were removed", metadata: report.metadata)
            return true
        } catch {
            logger.warning("The cleanup failed and will be tried again", metadata: ["error": "\(error)"])
            return false
        }
    }

    /// Cleans once. Throws `PostgresError`.
    func clean() async throws -> CleanupReport {
        var report = CleanupReport()
        for table in [Table.blacklistedTokens, .changes] {
            // Live rows in a default partition keep it from being emptied at once.
            var last = CleanupReport(rowsDeleted: Self.defaultBatch)
            while last.rowsDeleted == Self.defaultBatch {
                last = try await maintainPartitions(of: table)
                report.add(last)
            }
            // Whoever has the table goes on to the next one: if both did, each could find the other at one of them, and the
            // rest would be done by nobody.
            if !report.wasMine { return report }
        }
        while true {
            let deleted = try await deleteSessions()
            report.sessionsDeleted += deleted
            if deleted < Self.batch { break }
        }
        try await AccountUpkeep(postgres: postgres)()
        return report
    }

    /// Partitioned by day; each has a function `maintain_` of its name in the schema.
    private enum Table: String { case blacklistedTokens = "blacklisted_tokens", changes }

    /// A connection of its own: changing partitions must not stand before anybody's statement in a shared lane. And a
    /// transaction for each table: none is locked while another is waited for.
    ///
    /// The whole is locked before its default partition is: a request that had the whole and waited for the default would be
    /// waited for when a partition is dropped, and under load there is always one. Not for long: the schema's function has
    /// the same limit.
    private func maintainPartitions(of table: Table) async throws -> CleanupReport {
        try await postgres.transaction { transaction in
            let mine = try await transaction.query(
                """
                select pg_try_advisory_xact_lock(hashtextextended(\("maintain_" + table.rawValue), 0)),
                    set_config('lock_timeout', '250ms', true)
                """)
            let isMine: Bool = try mine.first?.decode(column: 0) ?? false
            guard isMine else { return CleanupReport(wasMine: false) }
            _ = try await transaction.query("lock table only \(unescaped: table.rawValue) in access exclusive mode")
            let rows = try await transaction.query(
                """
                select partitions_made, partitions_dropped, rows_deleted
                from \(unescaped: "maintain_" + table.rawValue)()
                """)
            guard let row = rows.first else { return CleanupReport(wasMine: false) }
            let (made, dropped, deleted) = try row.decode((Int, Int, Int).self)
            return CleanupReport(partitionsMade: made, partitionsDropped: dropped, rowsDeleted: deleted)
        }
    }

    /// As in `maintain_blacklisted_tokens`.
    private static let defaultBatch = 10_000

    /// Small, so that no statement holds its locks for long.
    private static let batch = 1000

    /// A session is of no use a day after its absolute end of 30 days; its verification token expired long before.
    private func deleteSessions() async throws(PostgresError) -> Int {
        try await postgres.write(
            """
            delete from sessions where id in (
                select id from sessions where created_at < now() - interval '31 days'
                order by created_at limit \(Self.batch) for update skip locked)
            """
        ).affectedRows
    }
}

extension CleanupReport {
    /// Adds what was done to one more table.
    fileprivate mutating func add(_ other: CleanupReport) {
        wasMine = wasMine && other.wasMine
        partitionsMade += other.partitionsMade
        partitionsDropped += other.partitionsDropped
        rowsDeleted += other.rowsDeleted
        sessionsDeleted += other.sessionsDeleted
    }

    var metadata: Logger.Metadata {
        [
            "partitions_made": "\(partitionsMade)", "partitions_dropped": "\(partitionsDropped)",
            "rows_deleted": "\(rowsDeleted)", "sessions_deleted": "\(sessionsDeleted)", "ran": "\(wasMine)",
        ]
    }

    /// One line for the command `cleanup`.
    var sentence: String {
        guard wasMine else { return "Another instance is cleaning up; nothing was done." }
        return """
            Made \(partitionsMade) and dropped \(partitionsDropped) partitions, \
            deleted \(rowsDeleted) expired tokens and \(sessionsDeleted) expired sessions.
            """
    }
}
