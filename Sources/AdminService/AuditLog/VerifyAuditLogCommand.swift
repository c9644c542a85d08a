package import ArgumentParser
import Postgres
import ServiceRuntime

/// `admin-service verify-audit-log`: computes the hash chain of the audit log anew.
package struct VerifyAuditLogCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "verify-audit-log",
        abstract: "Check that nobody changed the audit log, and print its newest seal.",
        discussion: """
            Note the seal that it prints where the database's administrators cannot reach it, and give it back later with \
            --anchor: then a log that was rewritten as a whole is found out too.
            """)

    @Option(help: "A seal that was printed before, position:hash; it must still be in the log.")
    var anchor: String?

    package init() {}

    package func validate() throws { _ = try parsedAnchor }

    package func run() async throws {
        let anchor = try parsedAnchor
        try await withRuntime(AdminService.self) { runtime in
            switch try await AuditChain(postgres: runtime.postgres).verify(anchor: anchor) {
            case .intact(let head):
                print("The audit log is as it was written: \(head.position) rows. Its newest seal:")
                print(head)
            case .broken(let position):
                throw CommandFailure(
                    "The audit log was changed: row \(position) in the order of writing does not fit its seal.")
            case .unsealed(let rows):
                throw CommandFailure("The audit log was changed: \(rows) rows were never sealed.")
            case .anchorMissing:
                throw CommandFailure("The audit log was changed: the seal given with --anchor is not in it.")
            }
        }
    }

    private var parsedAnchor: AuditChain.Seal? {
        get throws {
            guard let anchor else { return nil }
            guard let seal = AuditChain.Seal(anchor) else {
                throw ValidationError("--anchor must be a seal as this command prints it, position:hash.")
            }
            return seal
        }
    }
}

extension AuditChain.Seal: CustomStringConvertible {
    /// The position, a colon, and 64 hexadecimal digits.
    var description: String {
        "\(position):" + hash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    init?(_ text: String) {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let position = Int64(parts[0]), position >= 0, parts[1].utf8.count == 64 else {
            return nil
        }
        var hash: [UInt8] = []
        var rest = parts[1]
        while !rest.isEmpty {
            guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
            hash.append(byte)
            rest = rest.dropFirst(2)
        }
        self.init(position: position, hash: hash)
    }
}
