import Foundation
import Identity
import Postgres
import PostgresTestKit
import Synchronization
import Testing
import Tokens

@testable import UserService

extension UserServer {
    /// A token of admin-service.
    func serviceToken() async throws -> String {
        try signer.sign(ServiceToken(service: .admin, audience: .user, expiresAt: Date() + 60), now: Date())
    }

    /// Asks for an action as admin-service does.
    func act(_ action: String, on user: String, key: String? = nil, body: String? = nil) async throws -> Answer {
        try await send(
            "POST", "/internal/users/\(user)/\(action)", token: try await serviceToken(), body: body,
            headers: key.map { [("Idempotency-Key", $0)] } ?? [])
    }

    /// The session that a login answered with, by its access token.
    func session(of token: String) async throws -> AccessToken {
        try await TokenVerifier(keys: Self.keys).access(token)
    }
}

extension UserServer.Answer {
    var userID: String { user["id"] as? String ?? "" }
    var sessions: [[String: Any]] { object["sessions"] as? [[String: Any]] ?? [] }
}

@Suite("Actions of operators on users", .serialized)
struct UserActionTests {
    @Test("SES-12: a suspension ends everything, and after it old tokens stay dead")
    func suspension() async throws {
        try await withUserServer { server in
            let first = try await server.login()
            let second = try await server.login()
            let other = try await server.login(phone: "+447400123456")
            let before = try await server.count("select count(*) from changes")
            let answer = try await server.act(
                "suspend", on: first.userID, body: #"{"reason":"Reported by three people"}"#)
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.string("status") == "suspended")
            #expect(answer.sessions.isEmpty)
            for session in [first, second] {
                #expect(try await server.me(session.accessToken).status == 401)
                #expect(try await server.refresh(session.refreshToken).status == 401)
            }
            let proof = try await server.proof()
            #expect(try await server.login(proof).code == "user-suspended")
            #expect(try await server.me(other.accessToken).status == 200)
            let kinds = try await server.database.client.read(
                "select kind from changes order by position offset \(before)")
            let told = try kinds.map { try $0.decode(column: 0) as String }
            #expect(told.contains("user-not-before") && told.contains("user-changed"))

            #expect(try await server.act("suspend", on: first.userID).status == 200)
            #expect(try await server.act("reactivate", on: first.userID).string("status") == "active")
            #expect(try await server.act("reactivate", on: first.userID).status == 200)
            for session in [first, second] {
                #expect(try await server.me(session.accessToken).status == 401)
                #expect(try await server.refresh(session.refreshToken).status == 401)
            }
            let anew = try await server.login(proof)
            #expect(anew.status == 200)
            #expect(try await server.me(anew.accessToken).status == 200)
        }
    }

    @Test("a sign-out ends all sessions and nothing else")
    func signOut() async throws {
        try await withUserServer { server in
            let session = try await server.login()
            let answer = try await server.act("sign-out", on: session.userID)
            #expect(answer.status == 200)
            #expect(answer.string("status") == "active")
            #expect(try await server.me(session.accessToken).status == 401)
            #expect(try await server.refresh(session.refreshToken).status == 401)
            #expect(try await server.login().status == 200)
        }
    }

    @Test("a key does its action once")
    func keys() async throws {
        try await withUserServer { server in
            let first = try await server.login()
            let key = UUID.version7().uuidString
            #expect(try await server.act("sign-out", on: first.userID, key: key).status == 200)
            let second = try await server.login()
            #expect(try await server.act("sign-out", on: first.userID, key: key).status == 200)
            #expect(try await server.me(second.accessToken).status == 200)
            let other = try await server.act("suspend", on: first.userID, key: key)
            #expect(other.status == 422)
            #expect(other.code == "idempotency-key-reused")
            #expect(try await server.me(second.accessToken).status == 200)

            let answers = try await atOnce(10) { _ in
                try await server.act("suspend", on: first.userID, key: "one").status
            }
            #expect(answers.allSatisfy { $0 == 200 })
            #expect(try await server.count("select count(*) from user_actions") == 2)

            try await server.database.execute("update user_actions set done_at = now() - interval '25 hours'")
            #expect(try await ActionStore(postgres: server.database.client).forgetKeys() == 2)
        }
    }

    @Test("refuses what cannot be done")
    func refusals() async throws {
        try await withUserServer { server in
            let session = try await server.login()
            let id = session.userID
            for path in UserAction.allCases.map({ "/internal/users/\(id)/\($0.rawValue)" }) {
                #expect(try await server.send("POST", path).status == 401)
                #expect(try await server.send("POST", path, token: session.accessToken).status == 401)
                #expect(try await server.send("GET", path, token: try await server.serviceToken()).status == 405)
            }
            #expect(try await server.act("suspend", on: UserID().description).status == 404)
            for bad in ["x", "..%2f..%2fadmin", "%00", "a%2fb", "{\(id)}", "0", "-1", "me"] {
                #expect(try await server.act("suspend", on: bad).status == 404, "ADM-23: \(bad)")
            }
            #expect(try await server.act("suspend", on: id, key: String(repeating: "k", count: 65)).status == 400)
            #expect(try await server.act("suspend", on: id, key: "a b").status == 400)
            let bodies = [
                "[]", #"{"reason":7}"#, #"{"reason":""}"#, #"{"reason":"a\u0000"}"#, #"{"why":"x"}"#,
                #"{"reason":"\#(String(repeating: "r", count: 501))"}"#,
            ]
            for body in bodies {
                #expect(try await server.act("suspend", on: id, body: body).status == 400, "\(body)")
            }
            #expect(try await server.me(session.accessToken).status == 200)

            try await server.database.execute("update users set status = 'deleted', phone = null")
            for action in UserAction.allCases {
                let answer = try await server.act(action.rawValue, on: id)
                #expect(answer.status == 409)
                #expect(answer.code == "user-deleted")
            }
        }
    }

    /// Holds the user's row in a second connection, so that both wait for it, and lets go.
    private func held(
        _ server: UserServer, first: @escaping @Sendable () async throws -> Void,
        second: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let (released, release) = AsyncStream.makeStream(of: Void.self)
            let (holding, held) = AsyncStream.makeStream(of: Void.self)
            let client = server.database.client
            group.addTask {
                try await client.transaction { transaction in
                    _ = try await transaction.query("select from users for update")
                    held.yield()
                    for await _ in released { break }
                }
            }
            for await _ in holding { break }
            group.addTask { try await first() }
            try await self.waiting(client, 1)
            group.addTask { try await second() }
            try await self.waiting(client, 2)
            release.yield()
            try await group.waitForAll()
        }
    }

    private func waiting(_ client: PostgresClient, _ count: Int) async throws {
        for _ in 0..<2000 {
            let rows = try await client.read(
                "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
            let number: Int = try #require(rows.first).decode(column: 0)
            if number >= count { return }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test("a suspension beats a sign-in of the same instant, whichever has the row first", arguments: [true, false])
    func signInRace(suspensionFirst: Bool) async throws {
        try await withUserServer { server in
            let id = try await server.login().userID
            let proof = try await server.proof()
            // Connections of its own, so that the two do not wait for each other there.
            var configuration = try server.database.cluster.configuration(server.database.name)
            configuration.timing = .patient
            let other = try PostgresClient(configuration: configuration, logger: quietLogger)
            let user = try #require(UserID(id))
            let suspend = { @Sendable () async throws -> Void in
                #expect(try await ActionStore(postgres: other).act(.suspend, on: user, key: nil).outcome == .done)
            }
            let begun = Mutex<[UserServer.Answer]>([])
            let login = { @Sendable () async throws -> Void in
                var answer = try await server.login(proof)
                // On a busy machine it may wait longer than a request may last: it did nothing and is tried again.
                while answer.status == 503 { answer = try await server.login(proof) }
                #expect([200, 403].contains(answer.status))
                if answer.status == 200 { begun.withLock { $0.append(answer) } }
            }
            try await held(server, first: suspensionFirst ? suspend : login, second: suspensionFirst ? login : suspend)
            await other.shutDown()
            for answer in begun.withLock({ $0 }) {
                #expect(try await server.me(answer.accessToken).status == 401)
                #expect(try await server.refresh(answer.refreshToken).status == 401)
            }
            let live = try await server.count("select count(*) from sessions where ended_at is null")
            #expect(live == 0)
        }
    }

    @Test("a suspension beats a refresh of the same instant", arguments: 1...5)
    func refreshRace(round: Int) async throws {
        try await withUserServer { server in
            let session = try await server.login()
            async let suspended = server.act("suspend", on: session.userID)
            async let refreshed = server.refresh(session.refreshToken)
            let (action, answer) = (try await suspended, try await refreshed)
            #expect(action.status == 200)
            if answer.status == 200 {
                #expect(try await server.me(answer.accessToken).status == 401)
                #expect(try await server.refresh(answer.refreshToken).status == 401)
            }
            #expect(try await server.count("select count(*) from sessions where ended_at is null") == 0)
        }
    }

    @Test("a refresh that came between a sign-out's mark and its reach for the session is told by its session's name")
    func overtakingRefresh() async throws {
        try await withUserServer { server in
            let first = try await server.session(of: try await server.login().accessToken)
            let second = try await server.login()
            let cursor = try await server.changes().cursor
            let client = server.database.client
            // Connections of its own, so that the refresh does not wait for the sign-out there.
            var configuration = try server.database.cluster.configuration(server.database.name)
            configuration.timing = .patient
            let other = try PostgresClient(configuration: configuration, logger: quietLogger)
            let user = try #require(UserID(second.userID))
            let refreshed = try await client.transaction { transaction in
                // The sign-out marks the user and waits for the first session, which is held here.
                _ = try await transaction.query("select from sessions where id = \(first.sessionID.uuid) for update")
                async let signedOut = ActionStore(postgres: other).act(.signOut, on: user, key: nil).outcome
                try await self.waiting(client, 1)
                let refreshed = try await server.refresh(second.refreshToken)
                _ = try await transaction.query("commit")
                #expect(try await signedOut == .done)
                return refreshed
            }
            await other.shutDown()
            #expect(refreshed.status == 200)
            #expect(try await server.me(refreshed.accessToken).status == 401)
            let token = try await server.session(of: refreshed.accessToken)
            let told = try await server.changes(cursor).changes.filter { $0["kind"] as? String == "session-ended" }
            #expect(told.contains { $0["session_id"] as? String == token.sessionID.description })
        }
    }

    @Test("a suspension that meets a departure finds a user who is deleted")
    func departure() async throws {
        try await withUserServer { server in
            let session = try await server.login()
            let user = try await server.session(of: session.accessToken).userID
            let client = server.database.client
            let answer = try await client.transaction { transaction in
                _ = try await transaction.query("select close_account(\(user.uuid), 'deleted')")
                async let suspended = server.act("suspend", on: session.userID)
                try await self.waiting(client, 1)
                _ = try await transaction.query("commit")
                return try await suspended
            }
            #expect(answer.status == 409 && answer.code == "user-deleted", "\(answer.text)")
        }
    }

    @Test("the schema and the rule agree")
    func rule() async throws {
        try await withUserDatabase { database in
            let store = ActionStore(postgres: database.client)
            for status in UserStatus.allCases {
                for action in UserAction.allCases {
                    let id = UserID()
                    let phone = status == .deleted ? nil : "+9198765\(Int.random(in: 10_000...99_999))"
                    _ = try await database.client.write(
                        "insert into users (id, phone, status) values (\(id.uuid), \(phone), \(status.rawValue))")
                    let outcome = try await store.act(action, on: id, key: nil).outcome
                    let rows = try await database.client.read("select status from users where id = \(id.uuid)")
                    let word: String = try #require(rows.first).decode(column: 0)
                    let expected = action.applied(to: status)
                    #expect(outcome == (expected == nil ? .deleted : .done))
                    #expect(word == (expected ?? status).rawValue)
                }
            }
        }
    }
}
