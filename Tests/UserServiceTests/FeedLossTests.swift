import Foundation
import Identity
import Postgres
import PostgresTestKit
import Synchronization
import Testing

@testable import UserService

/// Writers whose transactions overlap, stay open and are killed, and a reader that must have every row that was acknowledged.
@Suite("The change feed under fire")
struct FeedLossTests {
    /// `FEED_REVOCATIONS=100000` for the full size.
    static let count = ProcessInfo.processInfo.environment["FEED_REVOCATIONS"].flatMap { Int($0) } ?? 3000
    /// With `FEED_CRASH=1`, and no other test beside this one, a backend is killed so that the whole server recovers.
    static let crashes = ProcessInfo.processInfo.environment["FEED_CRASH"] != nil
    static let writers = 6

    private final class Ledger: Sendable {
        private let state = Mutex(State())

        func withLock<Value: Sendable>(_ body: (inout sending State) -> sending Value) -> sending Value {
            state.withLock(body)
        }
    }

    private struct State {
        var acknowledged: Set<UUID> = []
        var seen: Set<UUID> = []
        var resets = 0
        var isDone = false
    }

    @Test("misses nothing that was committed, with long transactions, killed backends and a crash in between")
    func nothingIsMissed() async throws {
        try await withUserDatabase { database in
            let ledger = Ledger()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.read(database, ledger) }
                group.addTask { try await self.disturb(database, ledger) }
                try await withThrowingTaskGroup(of: Void.self) { writers in
                    for _ in 0..<Self.writers {
                        writers.addTask { await self.write(Self.count / Self.writers, database, ledger) }
                    }
                    try await writers.waitForAll()
                }
                ledger.withLock { $0.isDone = true }
                try await group.waitForAll()
            }
            let end = ledger.withLock { $0 }
            #expect(end.acknowledged.count >= Self.count / Self.writers * Self.writers / 2)
            #expect(end.acknowledged.subtracting(end.seen).isEmpty)
        }
    }

    /// One statement each, now and then several in a transaction that stays open for a while.
    private func write(_ count: Int, _ database: TestDatabase, _ ledger: Ledger) async {
        var rest = count
        while rest > 0 {
            let ids = (0..<(rest % 50 == 0 ? 5 : 1)).map { _ in UUID() }
            rest -= 1
            do {
                if ids.count == 1 {
                    _ = try await database.client.write(Self.insert(ids[0]))
                } else {
                    try await database.client.transaction { transaction in
                        for id in ids {
                            _ = try await transaction.query(Self.insert(id))
                            try await Task.sleep(for: .milliseconds(Int.random(in: 0...40)))
                        }
                    }
                }
                ledger.withLock { $0.acknowledged.formUnion(ids) }
            } catch {
                // Killed: it may have happened or not, and nobody was told that it did.
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    private static func insert(_ id: UUID) -> PostgresQuery {
        """
        insert into changes (kind, user_id, session_id, expires_at)
        values ('session-ended', \(UUID()), \(id), now() + interval '15 minutes')
        """
    }

    private func read(_ database: TestDatabase, _ ledger: Ledger) async throws {
        var store = FeedStore(postgres: database.client)
        store.pageSize = 64
        var cursor: FeedCursor?
        let cursors = FeedCursors(UserServer.keys)
        var quiet = 0
        while quiet < 3 {
            let isDone = ledger.withLock { $0.isDone }
            do {
                let page = try await store.page(after: cursor)
                // As it comes back over HTTP.
                cursor = cursors.cursor(cursors.text(page.cursor))
                #expect(cursor == page.cursor)
                let ids = page.changes.compactMap(\.sessionID?.uuid)
                ledger.withLock { ledger in
                    ledger.seen.formUnion(ids)
                    if page.isReset { ledger.resets += 1 }
                }
                quiet = isDone && ids.isEmpty && !page.hasMore ? quiet + 1 : 0
                if !page.hasMore { try await Task.sleep(for: .milliseconds(5)) }
            } catch {
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    /// Kills other people's backends, politely and not.
    private func disturb(_ database: TestDatabase, _ ledger: Ledger) async throws {
        var round = 0
        while !ledger.withLock({ $0.isDone }) {
            try await Task.sleep(for: .milliseconds(250))
            round += 1
            _ = try? await database.execute(
                """
                select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and application_name = 'tests' and pid <> pg_backend_pid()
                order by random() limit 1
                """)
            // The epoch goes as it does in crash recovery; a real one would take every other test's server along.
            if Self.crashes, round % 8 == 5 {
                _ = try? await database.execute("copy (select '') to program 'kill -9 $PPID'")
                try await Task.sleep(for: .seconds(2))
            }
            if round == 3 { _ = try? await database.execute("delete from change_feed_epoch") }
        }
    }
}
