import Foundation
package import Logging
package import Postgres

extension MigrationSet {
    /// Brings a database to the newest version; returns the versions it applied.
    ///
    /// One session holds an advisory lock from before the version is read until the last statement has committed, so
    /// that five replicas that start together apply each migration once. Each migration is one transaction; a lock that is not
    /// had within five seconds fails it rather than queueing the whole service behind it. Versions newer than this set
    /// are left alone: version n and n−1 of a service run side by side.
    package func apply(to configuration: PostgresConfiguration, logger: Logger) async throws -> [Int] {
        try await AdministrativeSession.run(configuration) { session in
            try MigrationSet.lock(session)
            defer { _ = try? session.execute("SELECT pg_advisory_unlock(\(MigrationSet.lockKey))") }
            try session.execute(MigrationSet.table)
            let applied = try MigrationSet.applied(session)
            try verify(applied)
            var done: [Int] = []
            for migration in migrations where applied[migration.version] == nil {
                try MigrationSet.apply(migration, session)
                logger.info("migrated", metadata: ["version": "\(migration.version)", "name": "\(migration.name)"])
                done.append(migration.version)
            }
            return done
        }
    }

    /// An arbitrary number of our own in the space of advisory locks: "postkey" in ASCII.
    private static let lockKey: Int64 = 0x70_6f_73_74_6b_65_79

    private static let table = """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            version int PRIMARY KEY,
            name text NOT NULL,
            checksum text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )
        """

    private static func lock(_ session: AdministrativeSession) throws {
        for _ in 0..<300 {
            if try session.execute("SELECT pg_try_advisory_lock(\(lockKey))").first == "t" { return }
            Thread.sleep(forTimeInterval: 0.2)
        }
        throw MigrationError.locked
    }

    private static func applied(_ session: AdministrativeSession) throws(PostgresError) -> [Int: String] {
        var checksums: [Int: String] = [:]
        for case let line? in try session.execute("SELECT version || ' ' || checksum FROM schema_migrations") {
            let parts = line.split(separator: " ")
            if parts.count == 2, let version = Int(parts[0]) { checksums[version] = String(parts[1]) }
        }
        return checksums
    }

    private func verify(_ applied: [Int: String]) throws(MigrationError) {
        for migration in migrations {
            if let checksum = applied[migration.version], checksum != migration.checksum {
                throw .changed(version: migration.version, name: migration.name)
            }
        }
    }

    private static func apply(_ migration: Migration, _ session: AdministrativeSession) throws {
        do throws(PostgresError) {
            try session.execute("BEGIN; SET LOCAL lock_timeout = '5s'")
            try session.execute(migration.sql)
            // The name comes from a file name of ours and the checksum is hexadecimal; the quote is doubled all the same.
            let name = migration.name.replacingOccurrences(of: "'", with: "''")
            try session.execute(
                """
                INSERT INTO schema_migrations (version, name, checksum)
                VALUES (\(migration.version), '\(name)', '\(migration.checksum)')
                """)
            try session.execute("COMMIT")
        } catch {
            _ = try? session.execute("ROLLBACK")
            throw MigrationError.failed(version: migration.version, name: migration.name, reason: error.reason)
        }
    }
}
