import Foundation
import Identity
import Migrations
import Postgres
import PostgresTestKit
import Testing

@testable import AdminService

@Suite("Rights on the audit log", .timeLimit(.minutes(2)))
struct AuditRightsTests {
    @Test(
        "ADM-18: the role that owns the schema and serves may add and read audit rows, and neither change nor delete any"
    )
    func rights() async throws {
        let cluster = try TestCluster.shared.get()
        let role = "auditor_\(UInt32.random(in: 0...UInt32.max))"
        _ = try await cluster.execute("CREATE ROLE \(role) LOGIN")
        _ = try await cluster.execute("CREATE DATABASE \(role) OWNER \(role)")
        let configuration = try PostgresConfiguration(
            url: cluster.url(role).replacing("user=postgres", with: "user=\(role)"), applicationName: "tests",
            poolSize: PostgresConfiguration.minimumPoolSize)
        _ = try await AdminService.migrations().apply(to: configuration, logger: quietLogger)
        let client = try PostgresClient(configuration: configuration, logger: quietLogger)
        do {
            try await check(client)
        } catch {
            await client.shutDown()
            throw error
        }
        await client.shutDown()
        _ = try await cluster.execute("DROP DATABASE \(role) WITH (FORCE)")
        _ = try await cluster.execute("DROP ROLE \(role)")
    }

    private func check(_ client: PostgresClient) async throws {
        let store = OperatorStore(postgres: client)
        let create = CreateOperator(store: store, vault: TOTPVault(current: AdminDatabase.secret, previous: nil))
        let phone = try #require(PhoneNumber(e164: "+919876543210"))
        guard case .created = try await create(phone: phone, role: .owner, by: .command, origin: .command) else {
            Issue.record("no operator")
            return
        }
        #expect(try await client.read("SELECT count(*) FROM audit_seals").column(Int.self) == [1])
        for table in ["audit_log", "audit_seals"] {
            for right in ["UPDATE", "DELETE", "TRUNCATE"] {
                #expect(
                    try await client.read("SELECT has_table_privilege(\(table), \(right))").column(Bool.self) == [false]
                )
            }
        }
        for change in [
            "UPDATE audit_log SET reason = 'x'", "DELETE FROM audit_log", "DELETE FROM audit_seals",
            "TRUNCATE audit_log CASCADE",
        ] {
            let error = await #expect(throws: PostgresError.self) {
                _ = try await client.write(PostgresQuery(unescaped: change))
            }
            #expect(error?.sqlState == "42501")
        }
    }
}
