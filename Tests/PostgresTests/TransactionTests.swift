import Foundation
import Postgres
import PostgresTestKit
import Testing

@Suite struct TransactionTests {
    struct Refused: Error {}

    private func withTable(_ body: (TestDatabase) async throws -> Void) async throws {
        try await withTestDatabase { database in
            try await database.execute(
                "CREATE TABLE t (id int8 PRIMARY KEY, n int8); INSERT INTO t VALUES (1, 0), (2, 0)")
            try await body(database)
        }
    }

    @Test func aThrowRollsBackAndAReturnCommits() async throws {
        try await withTable { database in
            await #expect(throws: Refused.self) {
                try await database.client.transaction { transaction in
                    _ = try await transaction.query("UPDATE t SET n = 5")
                    throw Refused()
                }
            }
            #expect(try await database.execute("SELECT sum(n) FROM t") == ["0"])
            let sum = try await database.client.transaction { transaction in
                _ = try await transaction.query("UPDATE t SET n = \(7) WHERE id = \(1)")
                return try await transaction.query("SELECT sum(n)::int8 FROM t").first?.decode(Int.self)
            }
            #expect(sum == 7)
            #expect(try await database.execute("SELECT sum(n) FROM t") == ["7"])
        }
    }

    @Test func aSwallowedErrorDoesNotCommit() async throws {
        try await withTable { database in
            await #expect(throws: PostgresError.self) {
                try await database.client.transaction { transaction in
                    _ = try await transaction.query("UPDATE t SET n = 5")
                    _ = try? await transaction.query("SELECT 1 / \(0)")
                }
            }
            let sum = try await database.execute("SELECT sum(n) FROM t")
            #expect(sum == ["0"])
        }
    }

    @Test func aDeadlockIsRetriedAsAWhole() async throws {
        try await withTable { database in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for pair in [(1, 2), (2, 1)] {
                    group.addTask {
                        try await database.client.transaction { transaction in
                            _ = try await transaction.query("SET LOCAL deadlock_timeout = '50ms'")
                            _ = try await transaction.query("UPDATE t SET n = n + 1 WHERE id = \(pair.0)")
                            try await Task.sleep(for: .milliseconds(100))
                            _ = try await transaction.query("UPDATE t SET n = n + 1 WHERE id = \(pair.1)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await database.execute("SELECT n FROM t ORDER BY id") == ["2", "2"])
        }
    }

    @Test func cancellationRollsBackAndFreesTheConnection() async throws {
        try await withTable { database in
            for _ in 0..<10 {
                let task = Task {
                    try await database.client.transaction { transaction in
                        _ = try await transaction.query("UPDATE t SET n = 5")
                        _ = try await transaction.query("SELECT pg_sleep(2)")
                    }
                }
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...30)))
                task.cancel()
                _ = await task.result
            }
            #expect(try await database.execute("SELECT sum(n) FROM t") == ["0"])
            let value = try await database.client.transaction { transaction in
                try await transaction.query("SELECT 1::int8").first?.decode(Int.self)
            }
            #expect(value == 1)
        }
    }

    @Test func waitingForAConnectionHasAnEnd() async throws {
        try await withTable { database in
            // Two connections for transactions in a pool of eight; three holders want them for longer than a checkout.
            let outcomes = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        do {
                            try await database.client.transaction { transaction in
                                _ = try await transaction.query("SELECT 1")
                                try await Task.sleep(for: .seconds(4))
                            }
                            return true
                        } catch { return (error as? PostgresError)?.kind != .unavailable }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.filter { $0 }.count == 2)
        }
    }
}
