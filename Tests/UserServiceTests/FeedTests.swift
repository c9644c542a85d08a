import Foundation
import HTTPServer
import Identity
import Postgres
import PostgresTestKit
import Synchronization
import Testing
import Tokens

@testable import UserService

@Suite("The change feed")
struct FeedTests {
    private func kinds(_ changes: [[String: Any]]) -> [String] { changes.compactMap { $0["kind"] as? String } }

    @Test("tells of sign-ins, logouts, marks and ends of sessions, in the words that were agreed")
    func contents() async throws {
        try await withUserServer { server in
            let empty = try await server.changes()
            #expect(empty.changes.isEmpty)
            let answer = try await server.login()
            let token = try await TokenVerifier(keys: UserServer.keys).access(answer.accessToken)
            let (signedIn, cursor) = try await server.changes(empty.cursor)
            #expect(kinds(signedIn) == ["user-changed"])
            #expect(signedIn[0]["user_id"] as? String == token.userID.description)
            #expect(signedIn[0].count == 2)

            _ = try await server.logout(answer.accessToken)
            let (loggedOut, next) = try await server.changes(cursor)
            #expect(kinds(loggedOut).sorted() == ["session-ended", "token-revoked"])
            let revoked = try #require(loggedOut.first { $0["kind"] as? String == "token-revoked" })
            #expect(revoked["token_hash"] as? String == token.tokenHash.map { String(format: "%02x", $0) }.joined())
            #expect(revoked["expires_at"] as? String == Timestamp.text(token.expiresAt))
            let ended = try #require(loggedOut.first { $0["kind"] as? String == "session-ended" })
            #expect(ended["session_id"] as? String == token.sessionID.description)

            let again = try await server.login()
            _ = try await server.logout(again.accessToken, everywhere: true)
            let (everywhere, last) = try await server.changes(next)
            #expect(kinds(everywhere).sorted() == ["token-revoked", "user-changed", "user-not-before"])
            #expect(try await server.changes(last).changes.isEmpty)
            // Reading again is harmless, and from nothing the state is what still matters.
            #expect(kinds(try await server.changes(cursor).changes).count == 5)
            let state = try await server.changes()
            #expect(
                kinds(state.changes).sorted() == [
                    "session-ended", "token-revoked", "token-revoked", "user-not-before",
                ])
        }
    }

    @Test("is for services, and refuses cursors that it did not make")
    func refusals() async throws {
        try await withUserServer { server in
            let user = try await server.login()
            #expect(try await server.send("GET", "/internal/changes").status == 401)
            #expect(try await server.send("GET", "/internal/changes", token: user.accessToken).status == 401)
            for (caller, status) in [(ServiceName.otp, 200), (.admin, 200), (.user, 401)] {
                #expect(try await server.ask("/internal/changes", as: caller).status == status, "\(caller)")
            }
            let cursor = try await server.changes().cursor
            var forged = Array(cursor)
            forged[3] = forged[3] == "A" ? "B" : "A"
            for bad in ["x", "AAAA", String(forged), cursor + "A", String(repeating: "A", count: 200)] {
                #expect(try await server.ask("/internal/changes?cursor=\(bad)").status == 400)
            }
            for wait in ["-1", "26", "x"] {
                #expect(try await server.ask("/internal/changes?cursor=\(cursor)&wait=\(wait)").status == 400)
            }
        }
    }

    /// How long it takes a waiting reader to learn of a logout; the best of some rounds, because this machine has more to do.
    private func lag(_ server: UserServer) async throws -> Duration {
        var best = Duration.seconds(60)
        for _ in 0..<5 where best >= .seconds(1) {
            let answer = try await server.login()
            let cursor = try await server.changes().cursor
            async let waiting = server.changes(cursor, wait: 25)
            try await Task.sleep(for: .milliseconds(300))
            _ = try await server.logout(answer.accessToken)
            let done = ContinuousClock.now
            let (changes, _) = try await waiting
            best = min(best, ContinuousClock.now - done)
            #expect(kinds(changes).sorted() == ["session-ended", "token-revoked"])
        }
        return best
    }

    @Test("a waiting reader is told at once, and one for whom nothing comes gets an empty answer in time")
    func longPoll() async throws {
        try await withUserServer { server in
            #expect(try await lag(server) < .seconds(1))
            let cursor = try await server.changes().cursor
            let quiet = ContinuousClock.now
            #expect(try await server.changes(cursor, wait: 1).changes.isEmpty)
            #expect(ContinuousClock.now - quiet >= .milliseconds(900))
        }
    }

    @Test("a waiting reader learns within a second though nobody announces and nobody listens")
    func withoutSignal() async throws {
        try await withUserDatabase { database in
            try await serve(database, database.client, runsSignal: false) { server async throws in
                #expect(try await lag(server) < .seconds(1))
            }
        }
    }

    @Test("a transaction that commits late is told late, and holds nobody back")
    func lateCommit() async throws {
        try await withUserDatabase { database in
            let store = FeedStore(postgres: database.client)
            var page = try await store.page(after: nil)
            let early = UUID()
            let late = UUID()
            try await database.client.transaction { transaction in
                _ = try await transaction.query("insert into changes (kind, user_id) values ('user-changed', \(late))")
                _ = try await database.client.write(
                    "insert into changes (kind, user_id) values ('user-changed', \(early))")
                page = try await store.page(after: page.cursor)
                #expect(page.changes.map(\.userID?.uuid) == [early])
                page = try await store.page(after: page.cursor)
                #expect(page.changes.isEmpty)
            }
            page = try await store.page(after: page.cursor)
            #expect(page.changes.map(\.userID?.uuid) == [late])
        }
    }

    @Test("a reading of several pages ends with what was there when it began, however much is written meanwhile")
    func pages() async throws {
        try await withUserDatabase { database in
            var store = FeedStore(postgres: database.client)
            let beginning = try await store.page(after: nil).cursor
            store.pageSize = 1
            var written: [UUID] = []
            func write() async throws {
                let id = UUID()
                _ = try await database.client.write(
                    "insert into changes (kind, user_id) values ('user-changed', \(id))")
                written.append(id)
            }
            for _ in 0..<3 { try await write() }
            var page = try await store.page(after: beginning)
            var read: [UUID] = []
            for number in 1...3 {
                read += page.changes.compactMap(\.userID?.uuid)
                #expect(page.hasMore == (number < 3), "page \(number)")
                try await write()
                if number < 3 { page = try await store.page(after: page.cursor) }
            }
            #expect(read == Array(written.prefix(3)))
            store.pageSize = 100
            #expect(try await store.page(after: page.cursor).changes.compactMap(\.userID?.uuid) == written.suffix(3))
        }
    }

    @Test("a crash, a cursor that is too old or one of the future begin anew")
    func reset() async throws {
        try await withUserDatabase { database in
            let store = FeedStore(postgres: database.client)
            _ = try await database.client.write(
                "insert into changes (kind, user_id, not_before) values ('user-not-before', \(UUID()), now())")
            let first = try await store.page(after: nil)
            #expect(!first.isReset)
            let now = first.cursor
            let old = FeedCursor(epoch: now.epoch, seen: now.seen, reading: nil, takenAt: now.takenAt - 86_400_000)
            let ahead = FeedCursor(
                epoch: now.epoch, seen: FeedSnapshot(xmin: now.seen.xmin, xmax: now.seen.xmax + 1_000_000, open: []),
                reading: nil, takenAt: now.takenAt)
            for cursor in [old, ahead] {
                let page = try await store.page(after: cursor)
                #expect(page.isReset)
                #expect(page.changes.count == 1)
            }
            // What crash recovery does to an unlogged table.
            _ = try await database.client.write("delete from change_feed_epoch")
            let after = try await store.page(after: now)
            #expect(after.isReset)
            #expect(after.changes.count == 1)
            #expect(after.cursor.epoch != now.epoch)
            #expect(try await store.page(after: after.cursor).isReset == false)
            // Whoever comes later with a cursor from before it, too.
            #expect(try await store.page(after: now).isReset)
        }
    }

    @Test("cursors keep what they hold, with many open transactions and in the middle of a reading")
    func cursorText() {
        let cursors = FeedCursors(UserServer.keys)
        let snapshot = FeedSnapshot(xmin: 900, xmax: 5000, open: (0..<200).map { 900 + $0 * 3 })
        for reading in [
            nil,
            FeedCursor.Reading(until: snapshot, after: FeedPlace(xid: .max, position: .max), isState: true),
            FeedCursor.Reading(until: snapshot, after: FeedPlace(xid: 1, position: 1), isState: false),
        ] {
            let cursor = FeedCursor(
                epoch: UUID(), seen: FeedSnapshot(xmin: 7, xmax: .max, open: [9]), reading: reading,
                takenAt: 1_764_000_000_000)
            let text = cursors.text(cursor)
            #expect(cursors.cursor(text) == cursor)
            #expect(text.utf8.count < 600)
        }
    }
}
