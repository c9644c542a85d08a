import Foundation
import HTTPServer
import Hummingbird
import Identity
import Postgres
import PostgresTestKit
import ServiceRuntime
import ServiceTestKit
import Testing
import Tokens

@testable import UserService

@Suite("The contract of user-service")
struct ContractTests {
    @Test("lists the codes that the service has, and no others, and examples that are what it says")
    func codes() throws {
        let contract = try userContract.get()
        #expect(contract.codes.sorted() == UserService.problems.codes.sorted())
        #expect(contract.faults == [])
        #expect(contract.unsaidOfBodies == [])
    }

    @Test("describes the routes that the service has")
    func routes() async throws {
        let contract = try userContract.get()
        try await withUserDatabase { database in
            let router = PostkeyRouter(context: PostkeyRequestContext.self)
            UserAssembly(
                postgres: database.client, keys: UserServer.keys, limits: SessionLimits(), accessKeys: nil,
                signal: ChangeSignal(postgres: database.client, logger: quietLogger), logger: quietLogger
            ).add(to: router)
            #expect(Set(router.routes.map { "\($0.method.rawValue) \($0.path.description)" }) == contract.operations)
        }
    }

    @Test("keeps words equal between Swift and the schema")
    func words() async throws {
        try await withUserDatabase { database in
            func words(_ constraint: String) async throws -> Set<String> {
                let rows = try await database.client.read(
                    "select pg_get_constraintdef(oid) from pg_constraint where conname = \(constraint)")
                let text: String = try #require(rows.first).decode(column: 0)
                return Set(text.matches(of: /'([a-z_]+)'::text/).map { String($0.1) })
            }
            let (statuses, reasons) = (
                try await words("users_status_known"), try await words("sessions_end_reason_known")
            )
            #expect(statuses == Set(UserStatus.allCases.map(\.rawValue)))
            #expect(reasons == Set(EndReason.allCases.map(\.rawValue)))
        }
    }

    @Test("reads a profile by keys alone, in one partition")
    func plan() async throws {
        try await withUserDatabase { database in
            try await DirectoryTests.fill(database, 5000)
            try await database.execute(
                """
                insert into sessions (id, user_id, challenge_id, refresh_hash, access_token_id, access_expires_at,
                    idle_expires_at, absolute_expires_at)
                select gen_random_uuid(), id, gen_random_uuid(), sha256('x'), gen_random_uuid(), now(), now(), now() from users;
                insert into blacklisted_tokens select sha256(g::text::bytea), now() from generate_series(1, 5000) g;
                analyze
                """)
            let plan = try await database.execute(
                """
                set plan_cache_mode = force_generic_plan;
                prepare me as select u.id from live_user($1, $2, $3, $4) u;
                explain (analyze, costs off, timing off)
                execute me ('0190c2b6-7b5c-7def-8abc-0123456789ab', now(), '\\x00', now())
                """
            ).compactMap(\.self).joined(separator: "\n")
            #expect(plan.contains("Index Scan using sessions_pkey"), "\(plan)")
            #expect(plan.contains("Index Scan using users_pkey"), "\(plan)")
            #expect(plan.contains("Subplans Removed: 3"), "\(plan)")
            #expect(!plan.contains("Seq Scan") && !plan.contains("Function Scan"), "\(plan)")
        }
    }

    @Test("keeps secrets out of what its values print")
    func masked() async throws {
        let keys = UserServer.keys
        let token = try #require(RefreshTokens(keys).token(of: SessionID(), generation: 3))
        var dumped = ""
        dump(token, to: &dumped)
        dump(keys, to: &dumped)
        for text in [dumped, "\(token)", String(describing: [token])] {
            #expect(!text.contains(token.text))
            #expect(!text.contains(String(decoding: UserServer.secret.bytes, as: UTF8.self)))
        }
        let user = User(
            id: UserID(), phone: PhoneNumber(e164: UserServer.phone), status: .active, createdAt: Date())
        #expect(!"\(user)".contains(UserServer.phone))
    }

    @Test("SES-13: gives refresh tokens that cannot be told from random ones")
    func refreshTokens() throws {
        let tokens = RefreshTokens(UserServer.keys)
        let session = SessionID()
        let texts = try (0..<1000).map { try #require(tokens.token(of: session, generation: $0)) }
        #expect(Set(texts.map { $0.text.suffix(40) }).count == 1000)
        for token in texts.prefix(50) { #expect(tokens.read(token.text) == token) }
        let other = RefreshTokens(TokenKeys(current: Secret(bytes: Array(repeating: 7, count: 32)), previous: nil))
        #expect(other.read(texts[0].text)?.isGenuine == false)
        #expect(tokens.token(of: session, generation: -1) == nil)
        #expect(tokens.token(of: session, generation: Int(Int32.max) + 1) == nil)
    }
}
