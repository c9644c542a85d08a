import Foundation
import PostgresTestKit
import ServiceTestKit
import Testing

extension EndToEnd {
    @Suite struct HealthCommandTests {
        @Test func theCommandTellsLifeFromReadinessAndFromSilence() async throws {
            try await withDeployment([.user]) { deployment in
                let live = try await deployment.run(.user, "health")
                #expect(live.code == 0)
                #expect(live.output.contains("/health/live answered 200."))
                let ready = try await deployment.run(.user, "health", "--ready")
                #expect(ready.code == 0)

                let service = try await deployment.processes.get(.user)
                service.send(signal: SIGTERM)
                #expect(try await service.exitCode() == 0)
                let gone = try await deployment.run(.user, "health")
                #expect(gone.code == 1)
                #expect(gone.output.contains("/health/live did not answer."))

                // Alive without its database, and not ready.
                let nowhere = deployment.cluster.tcpURL(
                    deployment.database(.user), port: try TestCluster.freePort())
                try await deployment.start(.user, databaseURL: nowhere, waitUntilReady: false)
                try await deployment.api(.user).wait(for: "/health/live", status: 200)
                #expect(try await deployment.run(.user, "health").code == 0)
                #expect(try await deployment.run(.user, "health", "--ready").code == 1)
            }
        }
    }
}
