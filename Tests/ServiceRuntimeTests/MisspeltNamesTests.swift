import Foundation
import Testing

@testable import ServiceRuntime

/// A misspelt setting is said: it would silently have its default.
@Suite struct MisspeltNamesTests {
    @Test(
        "names like ours are told with the one that was meant, others are nobody's business",
        arguments: [
            ("OTP_SEND_PER_PHONE", "OTP_SENDS_PER_PHONE"), ("MSG91_AUTHKEY", "MSG91_AUTH_KEY"),
            ("JWT_SECRET", "JWT_SECRET_KEY"), ("DATABASE_URI", "DATABASE_URL"), ("LOG_LEVELS", "LOG_LEVEL"),
            ("OTP_COLOUR", "OTP_"), ("PATH", nil), ("HOSTNAME", nil), ("POSTGRES_PASSWORD", nil), ("LOGNAME", nil),
            ("DATABASE_HOST", nil), ("POSTKEY_MSG91_AUTH_KEY", nil), ("SHLVL", nil), ("AWS_SECRET_ACCESS_KEY", nil),
            ("OTP_\u{1B}[31m", nil), ("HOST", nil), ("OTP_TTL", nil),
        ] as [(String, String?)])
    func names(name: String, meant: String?) {
        let warnings = MisspeltNames.warnings([name])
        #expect(warnings.count == (meant == nil ? 0 : 1))
        if let meant {
            #expect(warnings.first?.hasPrefix("\(name) is no setting, and does nothing: is \(meant)") == true)
        }
    }

    @Test("what is missing and what is there instead are told together")
    func together() throws {
        let reader = SettingsReader(environment: ["JWT_SECRET_KEYS": "a value"])
        _ = reader.secret("JWT_SECRET_KEY")
        let problems = try #require(throws: SettingsProblems.self) { try reader.finish() }
        #expect(problems.description.contains("JWT_SECRET_KEY is required"))
        #expect(
            problems.description.hasSuffix("JWT_SECRET_KEYS is no setting, and does nothing: is JWT_SECRET_KEY meant?"))
    }

    @Test("the list has every variable of the published tables")
    func published() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        var count = 0
        for file in ["README.md", "docs/configuration.md"] {
            let text = try String(contentsOf: root.appending(path: file), encoding: .utf8)
            let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `") }
            for row in rows {
                guard let cell = row.split(separator: "|").first else { continue }
                for name in cell.matches(of: /`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|HOST|PORT|ENVIRONMENT)`/) {
                    #expect(MisspeltNames.known.contains(String(name.output.1)), "\(name.output.1) of \(file)")
                    count += 1
                }
            }
        }
        #expect(count > 30)
    }

    @Test("names are read from the environment and from a file, with and without export, and values are not")
    func file() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "names-\(UUID()).env").path
        try "# OTP_COMMENT=1\nOTP_SEND_PER_PHONE=5/60\n  OTP_LENGHT=OTP_VALUE=9\n\nnonsense\n".write(
            toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let reader = try await SettingsReader(file: path)
        #expect(reader.names.isSuperset(of: ["OTP_SEND_PER_PHONE", "OTP_LENGHT", "PATH"]))
        let ours = MisspeltNames.warnings(reader.names).filter { $0.hasPrefix("OTP_") }
        #expect(ours.count == 2 && ours.allSatisfy { !$0.contains("5/60") && !$0.contains("COMMENT") })
    }
}
