import Foundation
import Identity
import Postgres
import PostgresTestKit
import Synchronization
import Testing
import Tokens

@testable import UserService

/// Whatever writes a row of the feed has it announced after its commit, so that nobody waits for a reader's next look.
@Suite("The announcement of changes", .timeLimit(.minutes(3)))
struct AnnouncementTests {
    /// What changes something, after what has to be there first; returns what the change must give.
    struct Change: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let prepare: @Sendable (UserServer) async throws -> @Sendable () async throws -> Int
        let status: Int

        init(
            _ name: String, _ status: Int,
            _ prepare: @escaping @Sendable (UserServer) async throws -> @Sendable () async throws -> Int
        ) {
            testDescription = name
            self.status = status
            self.prepare = prepare
        }
    }

    static let account: [Change] = [
        Change("sign-in", 201) { server in
            let proof = try await server.proof()
            return { try await server.login(proof).status }
        },
        Change("change of the profile", 200) { server in
            let token = try await server.login().accessToken
            return {
                try await server.send("PATCH", "/v1/users/me", token: token, body: #"{"display_name":"Asha"}"#).status
            }
        },
        Change("change of phone", 200) { server in
            let token = try await server.login().accessToken
            let proof = try await server.changeProof()
            return { try await server.changePhone(token, proof).status }
        },
        Change("leaving", 204) { server in
            let token = try await server.login().accessToken
            return { try await server.send("DELETE", "/v1/users/me", token: token).status }
        },
        Change("new account for a recycled phone", 201) { server in
            _ = try await server.login()
            try await server.database.execute(
                "update users set created_at = now() - interval '2 years', last_sign_in_at = now() - interval '1 year'")
            let proof = try await server.proof()
            return {
                try await server.send(
                    "POST", "/v1/auth/login", body: #"{"verification_token":"\#(proof)","account":"new"}"#
                ).status
            }
        },
    ]

    static let sessions: [Change] = [
        Change("sign-out", 204) { server in
            let token = try await server.login().accessToken
            return { try await server.logout(token).status }
        },
        Change("sign-out everywhere", 204) { server in
            let token = try await server.login().accessToken
            return { try await server.logout(token, everywhere: true).status }
        },
        Change("end of a session", 204) { server in
            let token = try await server.login().accessToken
            let other = try await server.session(of: try await server.login().accessToken)
            return {
                try await server.send("DELETE", "/v1/users/me/sessions/\(other.sessionID)", token: token).status
            }
        },
        Change("end of all other sessions", 204) { server in
            _ = try await server.login()
            let token = try await server.login().accessToken
            return { try await server.send("DELETE", "/v1/users/me/sessions", token: token).status }
        },
        Change("revocation of an access token", 200) { server in
            let token = try await server.login().accessToken
            return { try await server.form("/v1/auth/revoke", "token=\(token)").status }
        },
        Change("revocation of a refresh token", 200) { server in
            let token = try await server.login().refreshToken
            return { try await server.form("/v1/auth/revoke", "token=\(token)").status }
        },
        Change("reuse of a refresh token", 401) { server in
            let token = try await server.login().refreshToken
            _ = try await server.refresh(token)
            try await server.advance(60)
            return { try await server.refresh(token).status }
        },
    ]

    static let actions = UserAction.allCases.map { action in
        Change("operator's \(action.rawValue)", 200) { server in
            let id = try await server.login().userID
            if action == .reactivate { _ = try await server.act("suspend", on: id) }
            return { try await server.act(action.rawValue, on: id).status }
        }
    }

    @Test("follows every change", arguments: account + sessions + actions)
    func announced(change: Change) async throws {
        try await withUserServer { server in
            let heard = Atomic<Int>(0)
            let isListening = Atomic<Bool>(false)
            let listener = try PostgresClient(
                configuration: server.database.cluster.configuration(server.database.name), logger: quietLogger)
            let listening = Task {
                for await event in listener.notifications(on: ChangeSignal.channel) {
                    if case .reconnected = event {
                        isListening.store(true, ordering: .relaxed)
                    } else {
                        heard.add(1, ordering: .relaxed)
                    }
                }
            }
            while !isListening.load(ordering: .relaxed) { try await Task.sleep(for: .milliseconds(5)) }
            let act = try await change.prepare(server)
            // What the preparation had to say comes first.
            var before = -1
            while heard.load(ordering: .relaxed) != before {
                before = heard.load(ordering: .relaxed)
                try await Task.sleep(for: .milliseconds(300))
            }
            let rows = try await server.count("select count(*) from changes")
            let status = try await act()
            #expect(status == change.status)
            #expect(try await server.count("select count(*) from changes") > rows)
            for _ in 0..<1000 where heard.load(ordering: .relaxed) == before {
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(heard.load(ordering: .relaxed) > before)
            listening.cancel()
            await listener.shutDown()
        }
    }
}
