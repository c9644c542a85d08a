import Foundation
import HTTPClient
import Testing

/// Certificates are judged, by authority and by name; the server is OpenSSL's own.
@Suite struct TLSTests {
    @Test func certificatesAreVerified() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "\(directory)/key.pem", "-out",
            "\(directory)/certificate.pem", "-days", "2", "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost"
        ).waitUntilExit()
        let port = try RawServer.deadPort()
        let server = try openssl(
            "s_server", "-accept", "\(port)", "-key", "\(directory)/key.pem", "-cert",
            "\(directory)/certificate.pem", "-www", "-quiet")
        // Not terminate(): a child inherits the mask of the thread that starts it, in which SIGTERM may be blocked.
        defer { kill(server.processIdentifier, SIGKILL) }

        var trusting = HTTPClientConfiguration()
        trusting.certificateAuthorityFile = "\(directory)/certificate.pem"
        try await withClient(trusting) { client in
            let status = try await answer(client, "https://localhost:\(port)/")
            #expect(status == 200)
            // The same certificate, but it is not this host's.
            #expect(await client.failure(HTTPClientRequest(url: "https://127.0.0.1:\(port)/")) == .tls)
        }
        try await withClient { client in
            #expect(await client.failure(HTTPClientRequest(url: "https://localhost:\(port)/")) == .tls)
        }
    }

    @Test func plainServerBehindHTTPS() async throws {
        let server = try RawServer { connection, _ in connection.write(ok) }
        defer { server.stop() }
        let port = server.port
        try await withClient { client in
            #expect(await client.failure(HTTPClientRequest(url: "https://localhost:\(port)/")) == .tls)
        }
    }

    /// Waits until the server listens.
    private func answer(_ client: HTTPClient, _ url: String) async throws -> Int {
        for _ in 0..<100 {
            let response = try? await client.send(HTTPClientRequest(url: url), timeout: .seconds(20))
            if let response { return response.status }
            try await Task.sleep(for: .milliseconds(50))
        }
        return 0
    }

    @discardableResult
    private func openssl(_ arguments: String...) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = Pipe()
        try process.run()
        return process
    }
}
