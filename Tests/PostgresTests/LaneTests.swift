import Foundation
import Logging
import Postgres
import PostgresTestKit
import Testing

@Suite struct LaneTests {
    @Test func theReadLaneRefusesWrites() async throws {
        try await withTestDatabase { database in
            try await database.execute("CREATE TABLE t (n int8)")
            await #expect(throws: PostgresError.self) { try await database.client.read("INSERT INTO t VALUES (1)") }
            #expect(try await database.execute("SELECT count(*) FROM t") == ["0"])
        }
    }

    @Test func oneBadReadDoesNotHarmItsNeighbours() async throws {
        try await withTestDatabase { database in
            let results = await withTaskGroup(of: (Int, Bool).self) { group in
                for n in 0..<500 {
                    group.addTask {
                        do {
                            if n % 10 == 0 {
                                _ = try await database.client.read("SELECT 1 / \(0)")
                                return (n, false)
                            }
                            let rows = try await database.client.read("SELECT \(n), 'x'")
                            let (value, _) = try rows.first?.decode((Int, String).self) ?? (-1, "")
                            return (n, value == n)
                        } catch { return (n, n % 10 == 0 && (error as? PostgresError)?.sqlState == "22012") }
                    }
                }
                return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            #expect(results.count == 500 && results.allSatisfy(\.value))
        }
    }

    @Test func writesAreSeparateTransactions() async throws {
        try await withTestDatabase { database in
            try await database.execute("CREATE TABLE t (n int8 CONSTRAINT small CHECK (n < 90))")
            await withTaskGroup(of: Void.self) { group in
                for n in 0..<100 {
                    group.addTask { _ = try? await database.client.write("INSERT INTO t VALUES (\(n))") }
                }
            }
            #expect(try await database.execute("SELECT count(*) FROM t") == ["90"])
        }
    }

    @Test func aLateStatementEndsOnTheServerToo() async throws {
        try await withTestDatabase { database in
            let start = ContinuousClock.now
            let error = await #expect(throws: PostgresError.self) {
                try await database.client.read("SELECT pg_sleep(30)")
            }
            #expect(error?.kind == .timeout && error?.isUnavailable == true)
            #expect(ContinuousClock.now - start < .seconds(15))
            var left: [String?] = ["1"]
            for _ in 0..<500 where left != ["0"] {
                left = try await database.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(30)' AND state = 'active'")
                if left != ["0"] { try await Task.sleep(for: .milliseconds(10)) }
            }
            #expect(left == ["0"])
            let rows = try await database.client.read("SELECT 1")
            #expect(rows.count == 1)
        }
    }

    @Test func cancellingATaskLeavesTheSharedLaneUsable() async throws {
        try await withTestDatabase { database in
            for _ in 0..<50 {
                let task = Task { try await database.client.read("SELECT pg_sleep(0.05), 1") }
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...5)))
                task.cancel()
                let result = await task.result
                if case .failure(let error) = result { #expect((error as? PostgresError)?.kind == .cancelled) }
                #expect(try await database.client.read("SELECT \(7)").column(Int.self) == [7])
            }
        }
    }

    @Test func manyTextsDoNotFillTheServer() async throws {
        try await withTestDatabase { database in
            for n in 0..<300 {
                let rows = try await database.client.read("SELECT \(unescaped: "\(n)")::int8")
                #expect(try rows.column(Int.self) == [n])
            }
        }
    }

    @Test func aChangedTableDoesNotBreakPreparedStatements() async throws {
        try await withTestDatabase { database in
            try await database.execute("CREATE TABLE t (n int8); INSERT INTO t VALUES (1)")
            #expect(try await database.client.read("SELECT * FROM t").column(Int.self) == [1])
            try await database.execute("ALTER TABLE t ALTER n TYPE text")
            #expect(try await database.client.read("SELECT * FROM t").column(String.self) == ["1"])
        }
    }
}
