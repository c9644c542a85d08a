import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing

@testable import AdminService

@Suite("Plans of the audit log", .timeLimit(.minutes(2)))
struct AuditPlanTests {
    @Test("each filter has its index: among fifty thousand rows none is found by looking at all")
    func plans() async throws {
        try await withAdminDatabase { database in
            let admin = try await database.enrol()
            try await database.test.execute(
                """
                ALTER TABLE audit_log DISABLE TRIGGER USER;
                INSERT INTO audit_log (id, at, actor_id, actor, action, target_kind, target_id)
                SELECT gen_random_uuid(), now() - n * interval '30 s', '\(admin.id)', 'admin',
                       CASE WHEN n % 50 = 0 THEN 'user.suspended' ELSE 'operator.signed_in' END, 'user', (n % 9000)::text
                  FROM generate_series(1, 50000) n;
                ANALYZE audit_log;
                """)
            var queries = [AuditQuery()]
            func add(_ change: (inout AuditQuery) -> Void) {
                var query = AuditQuery()
                change(&query)
                queries.append(query)
            }
            add { $0.actor = .kind(.stranger) }
            add { $0.actor = .admin(AdminID()) }
            add { $0.action = .phoneRevealed }
            add { $0.target = .any(id: "77") }
            add { $0.target = .one(kind: "user", id: "77") }
            add { $0.after = AuditPosition(at: Date() - 86_400, id: AuditID()) }
            add { $0.to = Date() - 86_400 }
            for query in queries {
                let sql = AuditLogStore.statement(query, limit: 51, prefix: "EXPLAIN ")
                let plan = try await database.test.client.read(sql)
                    .map { try $0.decode((String).self) }.joined(separator: "\n")
                #expect(!plan.contains("Seq Scan on audit_log"), "\(query): \(plan)")
            }
        }
    }
}
