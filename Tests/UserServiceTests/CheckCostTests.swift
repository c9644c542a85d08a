import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing
import Tokens

@testable import UserService

/// Counts what a request with an access token costs, by what the service did and what the server logged.
@Suite("What the check of a token costs", .serialized)
struct CheckCostTests {
    /// The statements of a database that the server writes to its log.
    private struct StatementLog {
        let database: TestDatabase
        private var start: Int

        /// Only for sessions that begin after this.
        init(_ database: TestDatabase) async throws {
            self.database = database
            try await database.execute(
                """
                alter database \(database.name) set log_statement = 'all';
                alter database \(database.name) set log_min_messages = 'log'
                """)
            start = 0
        }

        private var file: Data {
            get throws { try Data(contentsOf: URL(fileURLWithPath: database.cluster.directory + "/log")) }
        }

        mutating func begin() throws { start = try file.count }

        /// What was executed since then, a text for each.
        func statements() throws -> [String] {
            let text = String(decoding: try file.dropFirst(start), as: UTF8.self)
            let parts: [String] = text.components(separatedBy: "LOG:  execute ")
            return Array(parts.dropFirst())
        }
    }

    static let pair = PrivateTokenKey(parsing: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").map {
        AccessKeyPair(current: $0, previous: nil)
    }

    @Test(
        "a signature is checked once for a token, the blacklist for every request and in its only statement",
        arguments: TokenAlgorithm.allCases)
    func counted(algorithm: TokenAlgorithm) async throws {
        try await withUserDatabase { database in
            let log = try await StatementLog(database)
            let postgres = try PostgresClient(
                configuration: database.cluster.configuration(database.name), logger: quietLogger)
            let pair = algorithm == .edDSA ? Self.pair : nil
            #expect((pair == nil) == (algorithm == .hs256))
            try await serve(database, postgres, accessKeys: pair, runsSignal: false) { server async throws in
                let session = try await server.login()
                let token = session.accessToken
                let checks = server.verifier.signatureChecks
                var log = log
                try log.begin()
                for _ in 0..<20 { #expect(try await server.me(token).status == 200) }
                #expect(server.verifier.signatureChecks - checks == 1)
                let statements = try log.statements()
                #expect(statements.count == 20)
                #expect(statements.allSatisfy { $0.contains("from live_user(") })

                // A remembered signature is no opinion about revocation.
                let claims = try await TokenVerifier(keys: UserServer.keys, accessKeys: pair?.published).access(token)
                _ = try await database.client.write(
                    "insert into blacklisted_tokens values (\(claims.tokenHash), \(claims.expiresAt))")
                #expect(try await server.me(token).status == 401)
                #expect(server.verifier.signatureChecks - checks == 1)
                // What another token costs is the same again.
                let other = try await server.refresh(session.refreshToken).accessToken
                for _ in 0..<3 { #expect(try await server.me(other).status == 200) }
                #expect(server.verifier.signatureChecks - checks == 2)
            }
            await postgres.shutDown()
        }
    }

    @Test("every route that takes an access token checks and acts in one statement, or judges within its transaction")
    func oneStatement() async throws {
        try await withUserDatabase { database in
            let log = try await StatementLog(database)
            let postgres = try PostgresClient(
                configuration: database.cluster.configuration(database.name), logger: quietLogger)
            try await serve(database, postgres, runsSignal: false) { server async throws in
                let token = try await server.login().accessToken
                let other = try await server.session(of: try await server.login().accessToken)
                let routes: [(String, String, String?, Int)] = [
                    ("GET", "/v1/users/me", nil, 200), ("PATCH", "/v1/users/me", #"{"locale":"en"}"#, 200),
                    ("GET", "/v1/users/me/sessions", nil, 200),
                    ("DELETE", "/v1/users/me/sessions/\(other.sessionID)", nil, 204),
                    ("DELETE", "/v1/users/me/sessions", nil, 204), ("POST", "/v1/auth/logout", nil, 204),
                ]
                var log = log
                for (method, path, body, status) in routes {
                    try log.begin()
                    #expect(try await server.send(method, path, token: token, body: body).status == status)
                    #expect(try log.statements().count == 1, "\(method) \(path)")
                }
            }
            await postgres.shutDown()
        }
    }
}
