import Foundation
import PostgresTestKit
import ServiceTestKit
import Testing

extension EndToEnd {
    /// What the commands of operators say when they cannot do it: a sentence, and exit code 1.
    @Suite struct CommandTests {
        @Test("every executable tells its version and what it takes, and ends with 64 at what it does not know")
        func arguments() async throws {
            var versions: Set<String> = []
            for part in Deployment.Part.allCases {
                func run(_ arguments: String...) async throws -> (code: Int32, output: String) {
                    // Nothing of a deployment: these need no setting. A simulator that served would end at the limit.
                    let process = try ServiceProcess(part.rawValue, arguments: arguments, environment: ["PORT": "0"])
                    defer { try? FileManager.default.removeItem(atPath: process.logFile) }
                    do {
                        return (try await process.exitCode(within: .seconds(20)), process.log)
                    } catch {
                        try await process.crash()
                        throw error
                    }
                }
                let version = try await run("--version")
                #expect(version.code == 0)
                versions.insert(version.output)
                let help = try await run("--help")
                #expect(help.code == 0 && help.output.contains("USAGE: \(part.rawValue)"), "\(help.output)")
                for unknown in ["--colour", "juggle"] {
                    let refused = try await run(unknown)
                    #expect(refused.code == 64 && refused.output.contains("\(unknown)'"), "\(refused.output)")
                }
            }
            #expect(versions.count == 1, "\(versions)")
        }

        private func createAdmin(
            _ deployment: Deployment, _ phone: String, databaseURL: String? = nil
        ) async throws -> (code: Int32, output: String) {
            let process = try ServiceProcess(
                "admin-service", arguments: ["create-admin", "--phone", phone, "--role", "viewer"],
                environment: deployment.environment(.admin, databaseURL: databaseURL))
            return (try await process.exitCode(), process.log)
        }

        @Test("create-admin says what to do where the database is away, has no schema, or the phone receives no codes")
        func createAdmin() async throws {
            try await withDeployment([]) { deployment in
                let port = try TestCluster.freePort()
                let away = try await createAdmin(
                    deployment, "+919876543210", databaseURL: "postgresql://postgres@127.0.0.1:\(port)/admin")
                #expect(away.code == 1 && away.output.contains("The database gives no answer, and nothing was done."))
                #expect(away.output.contains("ADMIN_DATABASE_URL") && !away.output.contains("PostgresError"))
                let empty = try await createAdmin(deployment, "+919876543210")
                #expect(empty.code == 1 && empty.output.contains("Run the command migrate first."), "\(empty.output)")

                #expect(try await deployment.run(.admin, "migrate").code == 0)
                let landline = try await createAdmin(deployment, "+442079460958")
                #expect(landline.code == 1 && landline.output.contains("is that of a landline"), "\(landline.output)")
                #expect(!landline.output.contains("otpauth") && !landline.output.contains("+442079460958"))
                #expect(try await deployment.execute("SELECT count(*) FROM admins", in: .admin) == ["0"])
            }
        }

        @Test("unlock says what it did: lifted a lock, forgot wrong codes, or found nobody")
        func unlock() async throws {
            try await withDeployment([]) { deployment in
                #expect(try await deployment.run(.otp, "migrate").code == 0)
                func unlock() async throws -> String {
                    let done = try await deployment.run(.otp, "unlock", "--phone", "+91 98765 43210")
                    #expect(done.code == 0 && !done.output.contains("9876543210"), "\(done.output)")
                    return done.output
                }
                #expect(try await unlock().contains("No code was ever asked for with +9198*****210."))
                for (lock, words) in [
                    ("'infinity'", "is unlocked"), ("now() + interval '900 s'", "is unlocked"),
                    ("now() - interval '1 s'", "was not locked. Wrong codes before now are forgotten: 20."),
                ] {
                    try await deployment.execute(
                        """
                        INSERT INTO phones (phone, failures, locked_until) VALUES ('+919876543210', 20, \(lock))
                        ON CONFLICT (phone) DO UPDATE SET failures = 20, locked_until = \(lock)
                        """, in: .otp)
                    #expect(try await unlock().contains("+9198*****210 \(words)"))
                    let row = try await deployment.execute(
                        "SELECT failures || '|' || locked_until FROM phones", in: .otp)
                    #expect(row == ["0|-infinity"])
                }
            }
        }
    }
}
