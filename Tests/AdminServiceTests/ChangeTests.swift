import Caching
import Foundation
import Identity
import Postgres
import PostgresTestKit
import ServiceLifecycle
import Testing

@testable import AdminService

@Suite("Changes between instances", .timeLimit(.minutes(2)))
struct ChangeTests {
    @Test("what was committed after a reading is read next, in whatever order transactions commit")
    func feed() async throws {
        try await withAdminDatabase { database in
            let store = AdminChangeStore(postgres: database.test.client)
            let begin = try await store.changes(since: nil)
            #expect(begin.topics.isEmpty)
            let user = UserID()
            var place = begin.place
            try await database.test.client.transaction { slow in
                _ = try await slow.query("INSERT INTO admin_changes (topic) VALUES ('destinations')")
                try await store.add(.user(user))
                let first = try await store.changes(since: place)
                #expect(first.topics == [.user(user)])
                place = first.place
            }
            // The slow one began first and committed last: its position is the smaller one.
            let second = try await store.changes(since: place)
            #expect(second.topics == [.destinations])
            #expect(try await store.changes(since: second.place).topics.isEmpty)
        }
    }

    @Test("another instance drops what it remembers within a second of an act and of a cleared cache")
    func twoInstances() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.support)
            let other = server.another()
            let follower = Task { try await other.follow.run() }
            defer { follower.cancel() }
            let id = try #require(UserID(StubService.userID))
            func status() async throws -> Bool {
                try await other.directory.read.user(id, refresh: false, trace: .forTests).value.json.contains(
                    "suspended")
            }
            #expect(try await status() == false)
            let answer = try await server.send(
                "POST", "/v1/admin/users/\(id)/suspend", token: token, body: #"{"reason":"x"}"#)
            #expect(answer.status == 200)
            #expect(try await eventually(status))
            #expect(other.remembered.users.statistics.entries == 1)
            #expect(try await server.send("DELETE", "/v1/admin/cache", token: token).status == 204)
            #expect(try await eventually { other.remembered.users.statistics.entries == 0 })
        }
    }

    @Test("a change of a user, made anywhere, is seen within a second: by the feed of user-service")
    func userFeed() async throws {
        try await withAdminServer { server in
            let id = try #require(UserID(StubService.userID))
            let read = server.assembly.directory.read
            func status() async throws -> Bool {
                try await read.user(id, refresh: false, trace: .forTests).value.json.contains("suspended")
            }
            #expect(try await status() == false)
            let service: any Service = server.assembly.feed
            let feed = Task { try await service.run() }
            defer { feed.cancel() }
            // When the feed begins, what was remembered before is dropped.
            #expect(try await eventually { server.assembly.remembered.users.statistics.entries == 0 })
            #expect(try await status() == false)
            server.users.setStatus("suspended")
            #expect(try await status() == false)
            server.users.tell("user-changed")
            #expect(try await eventually(status))
        }
    }

    @Test("a user who is on no page yet drops every page and the figures, and nothing of other users")
    func strangers() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.viewer)
            for path in ["/v1/admin/users", "/v1/admin/users/\(StubService.userID)", "/v1/admin/dashboard"] {
                #expect(try await server.send("GET", path, token: token).status == 200)
            }
            let remembered = server.assembly.remembered
            #expect(remembered.users.statistics.entries == 2 && remembered.userFigures.statistics.entries == 1)
            remembered.dropUsers([UserID()])
            #expect(remembered.users.statistics.entries == 1 && remembered.userFigures.statistics.entries == 0)
            #expect(remembered.messageFigures.statistics.entries == 1)
        }
    }
}
