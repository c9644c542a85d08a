import Foundation
import PostgresTestKit
import ServiceTestKit
import Testing

extension EndToEnd {
    /// What is left of revoked tokens that have expired.
    @Suite struct CleanupTests {
        /// Lists a token that expired three days ago, and one that has not.
        private func list(_ deployment: Deployment) async throws {
            try await deployment.execute(
                """
                INSERT INTO blacklisted_tokens VALUES
                    (sha256(random()::text::bytea), now() - interval '3 days'), (sha256('live'), now() + interval '10 minutes')
                """, in: .user)
        }

        private func listed(_ deployment: Deployment) async throws -> [String?] {
            try await deployment.execute("SELECT expires_at > now() FROM blacklisted_tokens", in: .user)
        }

        @Test("user-service cleanup forgets the expired ones and says so")
        func command() async throws {
            try await withDeployment([.user]) { deployment in
                // The one at the start is over when this one finds nobody at it.
                var first = try await deployment.run(.user, "cleanup")
                while first.output.contains("Another instance") { first = try await deployment.run(.user, "cleanup") }
                #expect(first.code == 0)
                try await list(deployment)
                let (code, output) = try await deployment.run(.user, "cleanup")
                #expect(code == 0 && output.contains("deleted 1 expired tokens"), "\(output)")
                #expect(try await listed(deployment) == ["t"])
            }
        }

        @Test("BLACKLIST_CLEANUP_INTERVAL: a service that runs does it by itself, again and again")
        func timer() async throws {
            try await withDeployment([.user], environment: ["BLACKLIST_CLEANUP_INTERVAL": "1"]) { deployment in
                for _ in 0..<2 {
                    try await list(deployment)
                    for _ in 0..<300 where try await listed(deployment).contains("f") {
                        try await Task.sleep(for: .milliseconds(100))
                    }
                    let left = try await listed(deployment)
                    #expect(!left.isEmpty && !left.contains("f"), "\(left)")
                }
            }
        }
    }
}
