import Foundation
import Logging
import Postgres
import PostgresTestKit
import Testing

@Suite struct EncryptionTests {
    /// Reads one value over TCP with these connection parameters; nil when no connection came about.
    private func isEncrypted(_ cluster: TestCluster, host: String, _ parameters: String) async throws -> Bool? {
        let client = try PostgresClient(
            configuration: PostgresConfiguration(
                url: "postgresql://postgres@\(host):\(cluster.port)/postgres?\(parameters)", applicationName: "tests",
                poolSize: 4), logger: Logger(label: "tests"))
        let rows = try? await client.read("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        await client.shutDown()
        return try rows?.column(Bool.self).first
    }

    @Test func verifyFullAcceptsOnlyTheRightServer() async throws {
        let cluster = try TestCluster.shared.get()
        let certificate = try await cluster.enableTLS()
        let verified = "sslmode=verify-full&sslrootcert=\(certificate)"
        #expect(try await isEncrypted(cluster, host: "localhost", verified) == true)
        // The certificate names localhost, not the address.
        #expect(try await isEncrypted(cluster, host: "127.0.0.1", verified) == nil)
        // Nobody vouches for this one.
        let other = "/etc/ssl/certs/ca-certificates.crt"
        #expect(try await isEncrypted(cluster, host: "localhost", "sslmode=verify-full&sslrootcert=\(other)") == nil)
        #expect(try await isEncrypted(cluster, host: "localhost", "sslmode=require") == true)
        #expect(try await isEncrypted(cluster, host: "localhost", "sslmode=disable") == false)
    }
}
