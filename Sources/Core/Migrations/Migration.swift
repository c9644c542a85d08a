import Crypto
package import Foundation

/// One step of a schema: a numbered SQL file, immutable once it is merged.
package struct Migration: Sendable, Hashable {
    /// Position in the order, from 1; numbers may be left out.
    package let version: Int
    package let name: String
    package let sql: String
    /// SHA-256 of the text, in hexadecimal.
    package let checksum: String

    package init(version: Int, name: String, sql: String) {
        self.version = version
        self.name = name
        self.sql = sql
        checksum = SHA256.hash(data: Data(sql.utf8)).map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }

    /// Reads `0001_name.sql`; nil when the name does not have that shape.
    init?(fileName: String, sql: String) {
        guard fileName.hasSuffix(".sql") else { return nil }
        let parts = fileName.dropLast(4).split(separator: "_", maxSplits: 1)
        guard parts.count == 2, let version = Int(parts[0]), version > 0 else { return nil }
        self.init(version: version, name: String(parts[1]), sql: sql)
    }
}

/// All migrations of one database, in order. Numbers may be left out: features that grow side by side have ranges of their
/// own, and one that comes late is applied late.
package struct MigrationSet: Sendable {
    package let migrations: [Migration]

    /// Checks the numbers. Throws ``MigrationError/badSequence(_:)`` when one is used twice.
    package init(_ migrations: [Migration]) throws(MigrationError) {
        let sorted = migrations.sorted { $0.version < $1.version }
        for (migration, next) in zip(sorted, sorted.dropFirst()) where migration.version == next.version {
            throw .badSequence("number \(migration.version) belongs to \(migration.name) and \(next.name)")
        }
        self.migrations = sorted
    }

    /// Reads every `NNNN_name.sql` of a folder. Throws when the folder cannot be read or a number is used twice.
    package init(directory: URL) throws {
        let files = try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
        let migrations = try files.compactMap { file in
            Migration(fileName: file.lastPathComponent, sql: try String(contentsOf: file, encoding: .utf8))
        }
        try self.init(migrations)
    }

    /// Reads a folder that is bundled with a module. Throws ``MigrationError/missing`` when it is not there.
    package init(bundle: Bundle, directory: String = "Migrations") throws {
        guard let url = bundle.resourceURL?.appendingPathComponent(directory) else { throw MigrationError.missing }
        try self.init(directory: url)
    }

    package var latest: Int { migrations.last?.version ?? 0 }
}

/// Why migrations cannot be read or applied.
package enum MigrationError: Error, Sendable, Hashable, CustomStringConvertible {
    case missing
    case badSequence(String)
    /// A migration that was applied has been edited since.
    case changed(version: Int, name: String)
    /// Another process holds the lock for longer than a minute.
    case locked
    case failed(version: Int, name: String, reason: String)

    package var description: String {
        switch self {
        case .missing: "the migrations are not beside the executable"
        case .badSequence(let what): "the migrations have no order: \(what)"
        case .changed(let version, let name): "migration \(version) (\(name)) was changed after it had been applied"
        case .locked: "another process has been migrating this database for more than a minute"
        case .failed(let version, let name, let reason): "migration \(version) (\(name)) failed: \(reason)"
        }
    }
}
