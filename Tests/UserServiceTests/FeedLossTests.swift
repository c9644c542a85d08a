import Foundation
import Identity
import Postgres
import PostgresTestKit
import Synchronization
import Testing

@testable import UserService

/// Writers whose transactions overlap, stay open and are killed, on a server that crashes and restarts, and a reader that must
/// have every row that was acknowledged.
@Suite("The change feed under fire")
struct FeedLossTests {
    /// `FEED_REVOCATIONS=100000` for the full size.
    static let count = ProcessInfo.processInfo.environment["FEED_REVOCATIONS"].flatMap { Int($0) } ?? 3000
    static let writers = 6

    /// What happens to the server, one after the other, while the writers are at it.
    enum Event: CaseIterable {
        /// Three connections end in the middle of whatever they do.
        case killedBackends
        /// A backend dies by SIGKILL: the server throws all out, and recovers.
        case crash
        /// An orderly restart.
        case restart
        /// The server ends without a checkpoint, as a machine does that loses power.
        case powerLoss
    }

    static let events: [Event] = [
        .killedBackends, .crash, .killedBackends, .restart, .killedBackends, .crash, .killedBackends, .powerLoss,
        .killedBackends,
    ]

    final class Ledger: Sendable {
        struct State {
            var acknowledged: Set<UUID> = []
            var seen: Set<UUID> = []
            /// What was seen to have happened.
            var events: [Event] = []
            var resets = 0
            var isDone = false
            /// What each writer does.
            var doing: [Int: String] = [:]
        }

        private let state = Mutex(State())

        func withLock<Value: Sendable>(_ body: (inout sending State) -> sending Value) -> sending Value {
            state.withLock(body)
        }
    }

    @Test("misses nothing that was committed, with long transactions, killed backends, crashes and restarts in between")
    func nothingIsMissed() async throws {
        // A server of its own: what happens here would take every other test's along.
        let cluster = try TestCluster()
        try await withTestDatabase(migrations: UserService.migrationsDirectory, on: cluster) { database in
            let ledger = Ledger()
            try await database.execute("create unlogged table marker (id int)")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await FeedReader(database: database, ledger: ledger).read() }
                try await withThrowingTaskGroup(of: Void.self) { busy in
                    for writer in 0..<Self.writers {
                        busy.addTask { await self.write(Self.count / Self.writers, database, ledger, writer) }
                    }
                    busy.addTask { await self.hold(database, ledger) }
                    busy.addTask { try await self.disturb(database, ledger) }
                    busy.addTask { await self.watch(ledger) }
                    try await busy.waitForAll()
                }
                ledger.withLock { $0.isDone = true }
                try await group.waitForAll()
            }
            let end = ledger.withLock { $0 }
            #expect(end.events == Self.events)
            #expect(end.acknowledged.count >= Self.count / Self.writers * Self.writers)
            let missed = end.acknowledged.subtracting(end.seen)
            // Whether they are in the table tells the feed's fault from the server's.
            for id in missed {
                let rows = try await database.execute(
                    "select xid || ' ' || position || ' ' || changed_at from changes where session_id = '\(id)'")
                Issue.record("\(id) was not read: \(rows)")
            }
            // After each of these the ids of transactions may begin again where they were: the reader does, too.
            #expect(end.resets >= 1)
        }
        try await cluster.stop()
    }

    /// One statement each, now and then several in a transaction that stays open for a while.
    private func write(_ count: Int, _ database: TestDatabase, _ ledger: Ledger, _ writer: Int) async {
        func note(_ text: String) { ledger.withLock { $0.doing[writer] = text } }
        var rest = count
        while rest > 0 {
            let ids = (0..<(rest % 50 == 0 ? 5 : 1)).map { _ in UUID() }
            do {
                note("writes, \(rest) left")
                if ids.count == 1 {
                    _ = try await database.client.write(Self.insert(ids[0]))
                } else {
                    try await database.client.transaction { transaction in
                        for (index, id) in ids.enumerated() {
                            note("writes \(index + 1) of 5 in a transaction, \(rest) left")
                            _ = try await transaction.query(Self.insert(id))
                            try await Task.sleep(for: .milliseconds(Int.random(in: 0...40)))
                        }
                    }
                }
                ledger.withLock { $0.acknowledged.formUnion(ids) }
                rest -= 1
                note("has \(rest) left")
            } catch {
                note("sleeps after \(error), \(rest) left")
                // Killed: it may have happened or not, and nobody was told that it did.
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    /// Transactions that stay open while hundreds of others come and go.
    private func hold(_ database: TestDatabase, _ ledger: Ledger) async {
        while ledger.withLock({ $0.events.count }) < Self.events.count {
            let id = UUID()
            do {
                try await database.client.transaction { transaction in
                    _ = try await transaction.query(Self.insert(id))
                    try await Task.sleep(for: .seconds(1))
                }
                _ = ledger.withLock { $0.acknowledged.insert(id) }
            } catch {
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    /// Says what the writers do when nothing has come of it for half a minute: every wait should have had its end.
    private func watch(_ ledger: Ledger) async {
        var last = -1
        var since = ContinuousClock.now
        while true {
            let (count, doing) = ledger.withLock { ($0.acknowledged.count, $0.doing) }
            if doing.count == Self.writers, doing.values.allSatisfy({ $0 == "has 0 left" }) { return }
            if count != last { (last, since) = (count, .now) }
            if ContinuousClock.now - since > .seconds(30) {
                Issue.record("after \(count) rows: \(doing)")
                return
            }
            do { try await Task.sleep(for: .milliseconds(100)) } catch { return }
        }
    }

    private static func insert(_ id: UUID) -> PostgresQuery {
        """
        insert into changes (kind, user_id, session_id, expires_at)
        values ('session-ended', \(UUID()), \(id), now() + interval '15 minutes')
        """
    }

    /// Lets the events happen, each when the writers have come so far.
    private func disturb(_ database: TestDatabase, _ ledger: Ledger) async throws {
        for (index, event) in Self.events.enumerated() {
            let due = Self.count * (index + 1) / (Self.events.count + 1)
            while ledger.withLock({ $0.acknowledged.count }) < due { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try await happen(event, database), "\(event)")
            ledger.withLock { $0.events.append(event) }
        }
    }

    /// Returns whether it has happened.
    private func happen(_ event: Event, _ database: TestDatabase) async throws -> Bool {
        // An unlogged table is empty after a crash and only then.
        try await database.execute("insert into marker values (1)")
        let started = try await database.execute("select pg_postmaster_start_time()")
        switch event {
        case .killedBackends:
            // Until there is somebody to meet: after a crash all have to come again.
            for _ in 0..<1000 {
                let killed = try await database.execute(
                    """
                    select pg_terminate_backend(pid) from pg_stat_activity
                    where datname = current_database() and application_name = 'tests' and pid <> pg_backend_pid()
                    order by random() limit 3
                    """)
                if !killed.isEmpty { return true }
                try await Task.sleep(for: .milliseconds(10))
            }
            return false
        case .crash: _ = try? await database.execute("copy (select '') to program 'kill -9 $PPID'")
        case .restart: try await database.cluster.restart("fast")
        case .powerLoss: try await database.cluster.restart("immediate")
        }
        let (markers, now) = try await afterwards(database, until: event == .restart ? nil : ["0"])
        let isOther = now != started
        switch event {
        case .killedBackends: return false
        case .crash: return markers == ["0"] && !isOther
        case .restart: return markers != ["0"] && isOther
        case .powerLoss: return markers == ["0"] && isOther
        }
    }

    /// Waits for the server to be there again; after a crash that is when it has seen it: for a moment it goes on without the
    /// backend that died.
    private func afterwards(
        _ database: TestDatabase, until expected: [String?]?
    ) async throws -> (markers: [String?], started: [String?]) {
        for _ in 0..<600 {
            if let markers = try? await database.execute("select count(*) from marker"),
                expected == nil || markers == expected,
                let started = try? await database.execute("select pg_postmaster_start_time()")
            {
                return (markers, started)
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw TestFailure("the server did not come back within a minute")
    }
}

/// Follows the feed until the writers are done and nothing comes any more.
private struct FeedReader {
    let database: TestDatabase
    let ledger: FeedLossTests.Ledger

    func read() async throws {
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
}

/// Why a test could not go on.
struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
