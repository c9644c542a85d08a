import Foundation
import Postgres
import PostgresTestKit
import Synchronization
import Testing

@testable import UserService

@Suite("The signal of changes", .timeLimit(.minutes(2)))
struct ChangeSignalTests {
    /// Runs the signals of two instances until `body` returns.
    private func withTwo(
        _ body: (_ database: TestDatabase, _ first: ChangeSignal, _ second: ChangeSignal) async throws -> Void
    ) async throws {
        try await withUserDatabase { database in
            let other = try PostgresClient(
                configuration: database.cluster.configuration(database.name), logger: quietLogger)
            let first = ChangeSignal(postgres: database.client, logger: quietLogger)
            let second = ChangeSignal(postgres: other, logger: quietLogger)
            let running = [Task { try await first.run() }, Task { try await second.run() }]
            // Each counts once when it begins to listen.
            while first.count == 0 || second.count == 0 { try await Task.sleep(for: .milliseconds(5)) }
            try await body(database, first, second)
            for task in running { task.cancel() }
            for task in running { _ = await task.result }
            await other.shutDown()
        }
    }

    @Test("given at one instance, it wakes those who wait at another")
    func wakes() async throws {
        try await withTwo { _, first, second in
            for _ in 0..<3 {
                let (began, count) = (ContinuousClock.now, second.count)
                async let waiting: Void = second.wait(beyond: count, atMost: .seconds(60))
                first.give()
                await waiting
                #expect(second.count > count)
                #expect(ContinuousClock.now - began < .seconds(30))
            }
        }
    }

    @Test("a burst shares its notifications")
    func coalesces() async throws {
        try await withTwo { _, first, second in
            let before = second.count
            for _ in 0..<1000 { first.give() }
            await second.wait(beyond: before, atMost: .seconds(60))
            try await Task.sleep(for: .milliseconds(300))
            #expect((before + 1...before + 20).contains(second.count))
        }
    }

    @Test("a connection that was lost wakes all who wait, for nobody knows what it did not hear")
    func reconnects() async throws {
        try await withTwo { database, first, second in
            let counts = (first.count, second.count)
            async let waiting: Void = second.wait(beyond: counts.1, atMost: .seconds(60))
            let cut = try await database.execute(
                """
                select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and query ilike 'listen%'
                """)
            #expect(cut.count == 2)
            await waiting
            #expect(second.count > counts.1)
            for _ in 0..<1000 where first.count == counts.0 { try await Task.sleep(for: .milliseconds(10)) }
            #expect(first.count > counts.0)
        }
    }

    @Test("who waits for nothing waits no longer than asked")
    func ends() async throws {
        try await withTwo { _, first, _ in
            let (began, count) = (ContinuousClock.now, first.count)
            await first.wait(beyond: count, atMost: .milliseconds(200))
            #expect(ContinuousClock.now - began >= .milliseconds(190))
            // What came before is not waited for.
            await first.wait(beyond: count - 1, atMost: .seconds(60))
            #expect(ContinuousClock.now - began < .seconds(30))
        }
    }
}
