import FoundationEssentials
import Identity
import Logging
import Postgres
import ServiceRuntime
import Testing

@Suite struct SettingsTests {
    private enum Guard: String, CaseIterable { case enforce, record, off }

    private static let secret = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

    private func problems(_ environment: [String: String], _ read: (SettingsReader) -> Void) -> [String] {
        let reader = SettingsReader(environment: environment)
        read(reader)
        do throws(SettingsProblems) {
            try reader.finish()
            return []
        } catch {
            return error.problems.map { "\($0.name) \($0.sentence)" }
        }
    }

    @Test func allProblemsAreToldAtOnce() {
        let reader = SettingsReader(environment: [
            "B": "x", "C": "7", "D": "soon", "E": "maybe", "F": "sometimes", "G": "changeme-changeme-changeme-changeme",
            "H": "+",
        ])
        _ = reader.required("A")
        _ = reader.integer("B", default: 1, in: 1...5)
        _ = reader.integer("C", default: 1, in: 1...5)
        _ = reader.seconds("D", default: 1, in: 1...5)
        _ = reader.boolean("E", default: true)
        _ = reader.choice("F", default: Guard.enforce)
        _ = reader.secret("G")
        _ = reader.parsed("H", default: 0, "a list of limits like 5/3600", { _ in Int?.none })
        reader.problem("I", "must not be set in production")
        #expect(throws: SettingsProblems.self) { try reader.finish() }
        do throws(SettingsProblems) {
            try reader.finish()
        } catch {
            #expect(
                error.description == """
                    9 settings need attention, in the environment or in .env:
                      A is required
                      B must be a whole number from 1 to 5
                      C must be a whole number from 1 to 5
                      D must be a number of seconds from 1 to 5
                      E must be true or false
                      F must be one of enforce, record, off
                      G contains a well-known word; make one with: openssl rand -hex 32
                      H must be a list of limits like 5/3600
                      I must not be set in production
                    """)
        }
    }

    @Test func goodValuesAreRead() throws {
        let reader = SettingsReader(environment: [
            "A": "text", "B": "5", "C": "90", "D": "Yes", "E": "RECORD", "F": " a, b ,,c ", "G": Self.secret, "H": "",
        ])
        #expect(reader.required("A") == "text")
        #expect(reader.integer("B", default: 1, in: 1...5) == 5)
        #expect(reader.seconds("C", default: 1, in: 1...100) == .seconds(90))
        #expect(reader.boolean("D", default: false))
        #expect(reader.choice("E", default: Guard.off) == .record)
        #expect(reader.list("F") == ["a", "b", "c"])
        #expect(reader.secret("G").bytes.count >= 32)
        // Empty counts as absent.
        #expect(reader.optional("H") == nil)
        #expect(reader.integer("H", default: 3, in: 1...5) == 3)
        #expect(reader.optionalSecret("H") == nil)
        try reader.finish()
    }

    @Test func theEnvironmentBeatsTheFile() throws {
        let reader = SettingsReader(
            environment: ["A": "environment", "C": ""], file: ["A": "file", "B": "file", "C": "file"])
        #expect(reader.optional("A") == "environment")
        #expect(reader.optional("B") == "file")
        #expect(reader.optional("C") == "file")
    }

    @Test func aFileIsRead() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "settings-\(UUID()).env").path
        try "# comment\nPOSTKEY_TEST_A=1=2\n\nPOSTKEY_TEST_B = x \n".write(
            toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let reader = try await SettingsReader(file: path)
        #expect(reader.optional("POSTKEY_TEST_A") == "1=2")
        #expect(reader.optional("POSTKEY_TEST_B") == "x")
        #expect(reader.optional("PATH") != nil)
        _ = try await SettingsReader(file: path + ".absent")
    }

    @Test func noValueIsEverPrinted() {
        let values = ["s3cr3t-value", "postgresql://u:hunter2@h/d x y=", "12345678901234567890"]
        for value in values {
            let reader = SettingsReader(environment: [
                "JWT_SECRET_KEY": value, "PORT": value, "OTP_DATABASE_URL": value, "JWT_ALGORITHM": value,
                "LOG_LEVEL": value,
                "TRUSTED_PROXIES": value,
            ])
            let common = CommonSettings(reader, name: .otp, defaultPort: 8081, databaseVariable: "OTP_DATABASE_URL")
            do throws(SettingsProblems) {
                try reader.finish()
                Issue.record("accepted")
            } catch {
                #expect(!"\(error)\(common)".contains(value) && !"\(error)\(common)".contains("hunter2"))
                #expect(String(reflecting: error).contains(value) == false)
            }
        }
    }

    @Test func commonSettingsHaveTheirDefaults() throws {
        let reader = SettingsReader(environment: ["DATABASE_URL": "postgresql://u@h/d", "JWT_SECRET_KEY": Self.secret])
        let settings = CommonSettings(reader, name: .otp, defaultPort: 8081, databaseVariable: "OTP_DATABASE_URL")
        try reader.finish()
        #expect(settings.host == "127.0.0.1")
        #expect(settings.port == 8081)
        #expect(settings.logLevel == .info)
        #expect(settings.logFormat == .console)
        #expect(settings.environment == .development)
        #expect(settings.trustedProxies.isEmpty)
        #expect(settings.database?.keyword("host") == "h")
        #expect(settings.database?.applicationName == "otp-service")
    }

    @Test func theServicesOwnDatabaseBeatsTheCommonOne() throws {
        let reader = SettingsReader(environment: [
            "DATABASE_URL": "postgresql://u@common/d", "OTP_DATABASE_URL": "postgresql://u@own/d",
            "JWT_SECRET_KEY": Self.secret,
            "ENVIRONMENT": "production", "TRUSTED_PROXIES": "127.0.0.0/8,::1/128", "JWT_ALGORITHM": "HS256",
        ])
        let settings = CommonSettings(reader, name: .otp, defaultPort: 8081, databaseVariable: "OTP_DATABASE_URL")
        try reader.finish()
        #expect(settings.database?.keyword("host") == "own")
        #expect(settings.logFormat == .json)
        #expect(settings.isProduction)
        #expect(settings.trustedProxies.count == 2)
    }

    @Test(arguments: [
        ("HOST", "http://0.0.0.0", "HOST must be an address or the name of a host"),
        ("PORT", "70000", "PORT must be a whole number from 0 to 65535"),
        ("DATABASE_POOL_SIZE", "3", "DATABASE_POOL_SIZE must be a whole number from 4 to 200"),
        ("DATABASE_POOL_SIZE", "201", "DATABASE_POOL_SIZE must be a whole number from 4 to 200"),
        ("JWT_ALGORITHM", "none", "JWT_ALGORITHM must be HS256 or EdDSA"),
        ("JWT_ALGORITHM", "eddsa", "JWT_ALGORITHM must be HS256 or EdDSA"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT must be one of json, console"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL must be one of trace, debug, info, notice, warning, error, critical"),
        ("ENVIRONMENT", "staging", "ENVIRONMENT must be one of development, production"),
        ("TRUSTED_PROXIES", "10.0.0.0/99", "TRUSTED_PROXIES must be a list of address ranges like 10.0.0.0/8,::1/128"),
        (
            "JWT_PREVIOUS_SECRET_KEY", "short",
            "JWT_PREVIOUS_SECRET_KEY is shorter than 32 random bytes; make one with: openssl rand -hex 32"
        ),
    ])
    func commonSettingsAreChecked(_ name: String, _ value: String, _ message: String) {
        let found = problems(["DATABASE_URL": "postgresql://u@h/d", "JWT_SECRET_KEY": Self.secret, name: value]) {
            _ = CommonSettings($0, name: .otp, defaultPort: 8081, databaseVariable: "OTP_DATABASE_URL")
        }
        #expect(found == [message])
    }

    @Test func whatIsMissingIsNamed() {
        let found = problems([:]) {
            _ = CommonSettings($0, name: .otp, defaultPort: 8081, databaseVariable: "OTP_DATABASE_URL")
        }
        #expect(found.count == 2)
        #expect(found.contains { $0.hasPrefix("OTP_DATABASE_URL is required") })
        #expect(found.contains { $0.hasPrefix("JWT_SECRET_KEY is required") })
    }
}
