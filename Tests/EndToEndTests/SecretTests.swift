import Foundation
import PostgresTestKit
import ServiceTestKit
import Testing

extension EndToEnd {
    @Suite struct SecretTests {
        /// Nil for a variable that is not there.
        static let weak: [String?] = [
            nil, "", "secret", "changeme", "vT9#kq2!xLw8@zRm4$Bn7^Yd1&Hs5*J", String(repeating: "x", count: 32),
            String(repeating: "a", count: 64), "8fQ2xLw-secret-7zRm4Bn7Yd1Hs5JkVtPqW3cEgU",
            "changeme-8fQ2xLw7zRm4Bn7Yd1Hs5JkVtPqW3cEgU",
        ]

        /// The values of `JWT_SECRET_KEY` that a text gives away: those of an example, not those that a shell makes.
        static func values(in text: String) -> [String] {
            text.matches(of: /JWT_(?:PREVIOUS_)?SECRET_KEY["'`]?\s*[=:]\s*["'`]?([A-Za-z0-9+\/_.-]{6,})/).map {
                String($0.1)
            }
        }

        /// All files of the repository that show how to configure a service.
        static func published() throws -> [String] {
            let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            var values: [String] = []
            for name in [
                "README.md", "docker-compose.yml", ".env.example", "docs", "deploy", "scripts", "start-services.sh",
            ] {
                let url = root.appending(path: name)
                let below = FileManager.default.enumerator(at: url, includingPropertiesForKeys: nil)
                let files = [url] + (below?.compactMap { $0 as? URL } ?? [])
                for file in files {
                    if let text = try? String(contentsOf: file, encoding: .utf8) { values += Self.values(in: text) }
                }
            }
            return values
        }

        @Test("JWT-18: what reads example values finds them")
        func reads() {
            #expect(
                Self.values(in: "JWT_SECRET_KEY=changeme1\n  JWT_SECRET_KEY: \"abc/def+\"\nJWT_SECRET_KEY=$(random)")
                    == ["changeme1", "abc/def+"])
        }

        @Test(
            "JWT-18: no service starts with a secret that is missing, published, short or not random",
            arguments: [Deployment.Part.otp, .user, .admin])
        func weakSecrets(part: Deployment.Part) async throws {
            // With a good secret it runs here: what ends it is the secret and nothing else.
            try await withDeployment([part]) { deployment in
                try await deployment.processes.get(part).crash()
                for value in Self.weak + (try Self.published()) {
                    for name in ["JWT_SECRET_KEY", "JWT_PREVIOUS_SECRET_KEY"] {
                        // A previous key need not be there.
                        if name != "JWT_SECRET_KEY", value?.isEmpty ?? true { continue }
                        var environment = deployment.environment(part)
                        environment[name] = value
                        let process = try ServiceProcess(
                            part.rawValue, environment: environment, port: deployment.port(part))
                        defer { try? FileManager.default.removeItem(atPath: process.logFile) }
                        var listened = false
                        let end = ContinuousClock.now + .seconds(5)
                        while process.isRunning, ContinuousClock.now < end {
                            if (try? await deployment.api(part).get("/health/live")) != nil { listened = true }
                            try await Task.sleep(for: .milliseconds(5))
                        }
                        let ended = !process.isRunning
                        if !ended { process.send(signal: SIGKILL) }
                        let code = try await process.exitCode()
                        #expect(ended && !listened, "\(name) of \(value?.count ?? 0) bytes")
                        // An exit that it chose, not a trap.
                        #expect((1..<128).contains(code), "\(code)")
                        let log = process.log
                        #expect(log.contains(name))
                        if let value, !value.isEmpty { #expect(!log.contains(value)) }
                    }
                }
            }
        }
    }
}
