import Foundation
import Postgres
import PostgresTestKit
import Testing
import Tokens

@testable import UserService

/// The connection to the database dies at the commit, so that nobody knows whether it happened: the client is told to come
/// back, and its repeat must be safe whichever it was.
@Suite("A write whose outcome is unknown", .timeLimit(.minutes(2)))
struct LostAnswerTests {
    enum Wish: String, CaseIterable {
        case signIn, refresh, logout, logoutEverywhere, patch, changePhone, endOthers, endOne, suspend, leave
    }

    @Test(
        "is 503 with Retry-After, and the same request again leads where the first would have",
        arguments: Wish.allCases, CommitFate.allCases)
    func again(wish: Wish, fate: CommitFate) async throws {
        try await withUserDatabase { database in
            try await LossyLink.with(database) { link in
                try await serve(database, link.client) { server in
                    let scene = try await Scene(server, wish)
                    let events = ["sessions", "users"].map { "insert or update or delete on \($0)" }
                    let first = try await link.lose(fate, at: events) { try await scene.ask() }
                    #expect(first.status == 503 && first.header("Retry-After") != nil, "\(first.status) \(first.text)")
                    var second = try await scene.ask()
                    for _ in 0..<100 where second.status == 503 {
                        try await Task.sleep(for: .milliseconds(100))
                        second = try await scene.ask()
                    }
                    try await scene.check(second, after: fate)
                }
            }
        }
    }

    /// A person with two sessions, of which the first asks.
    private struct Scene: Sendable {
        let server: UserServer
        let wish: Wish
        let session: UserServer.Answer
        let other: UserServer.Answer
        let proof: String

        init(_ server: UserServer, _ wish: Wish) async throws {
            self.server = server
            self.wish = wish
            other = try await server.login()
            session = try await server.login()
            proof = wish == .changePhone ? try await server.changeProof() : try await server.proof()
        }

        func ask() async throws -> UserServer.Answer {
            let token = session.accessToken
            switch wish {
            case .signIn: return try await server.login(proof)
            case .refresh: return try await server.refresh(session.refreshToken)
            case .logout: return try await server.logout(token)
            case .logoutEverywhere: return try await server.logout(token, everywhere: true)
            case .patch:
                return try await server.send("PATCH", "/v1/users/me", token: token, body: #"{"display_name":"Asha"}"#)
            case .changePhone: return try await server.changePhone(token, proof)
            case .endOthers: return try await server.send("DELETE", "/v1/users/me/sessions", token: token)
            case .endOne:
                let id = try await server.session(of: other.accessToken).sessionID
                return try await server.send("DELETE", "/v1/users/me/sessions/\(id)", token: token)
            case .suspend: return try await server.act("suspend", on: session.userID, key: "lost")
            case .leave: return try await server.send("DELETE", "/v1/users/me", token: token)
            }
        }

        /// The repeat was answered as it should be, and things stand as if there had been one request.
        func check(_ answer: UserServer.Answer, after fate: CommitFate) async throws {
            // Who asked for the end of everything has no right to ask again: the 401 says that it is done.
            let gone = fate == .committed ? 401 : 204
            let expected =
                switch wish {
                case .signIn, .refresh, .patch, .changePhone, .suspend: 200
                case .logout, .endOthers, .endOne: 204
                case .logoutEverywhere, .leave: gone
                }
            #expect(answer.status == expected, "\(answer.text)")
            let sessions = try await server.count("select count(*) from sessions")
            #expect(sessions == (wish == .signIn ? 3 : 2))
            #expect(try await server.count("select count(*) from users") == 1)
            let (mine, others) = (
                try await server.me(session.accessToken), try await server.me(other.accessToken).status
            )
            switch wish {
            case .signIn, .refresh:
                #expect(try await server.me(answer.accessToken).status == 200)
                #expect(try await server.refresh(answer.refreshToken).status == 200)
                #expect(mine.status == 200 && others == 200)
            case .logout: #expect(mine.status == 401 && others == 200)
            case .logoutEverywhere, .suspend, .leave: #expect(mine.status == 401 && others == 401)
            case .patch: #expect(mine.string("display_name") == "Asha" && others == 200)
            case .changePhone: #expect(mine.string("phone") == UserServer.newPhone && others == 401)
            case .endOthers, .endOne: #expect(mine.status == 200 && others == 401)
            }
            let reused = try await server.count("select count(*) from sessions where end_reason = 'refresh_reused'")
            #expect(reused == 0)
        }
    }
}
