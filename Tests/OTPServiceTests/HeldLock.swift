import PostgresTestKit
import ServiceTestKit

extension TestDatabase {
    /// Runs `body` while another session holds what a statement has locked, however long that takes: no timeout ends it.
    func whileHolding<Value>(_ statement: String, _ body: () async throws -> Value) async throws -> Value {
        let holder = Task { _ = try? await execute("BEGIN; \(statement); SELECT pg_sleep(3600); ROLLBACK") }
        let asleep = "datname = current_database() AND wait_event = 'PgSleep'"
        do {
            let end = ContinuousClock.now + .seconds(30)
            while try await execute("SELECT count(*) FROM pg_stat_activity WHERE \(asleep)") != ["1"] {
                guard ContinuousClock.now < end else { throw ServiceTestError("nobody holds the lock") }
                try await Task.sleep(for: .milliseconds(5))
            }
            let value = try await body()
            try await execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE \(asleep)")
            await holder.value
            return value
        } catch {
            _ = try? await execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE \(asleep)")
            throw error
        }
    }
}
