import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing
import Tokens

@testable import AdminService

/// What the tests of sign-in need around a database of their own.
struct AdminDatabase: Sendable {
    static let secret = Secret(bytes: Array("a test key of more than thirty-two bytes".utf8))
    static let keys = TokenKeys(current: secret, previous: nil)

    let test: TestDatabase
    var secondFactorLimits = SecondFactorLimits()
    var sessionLimits = OperatorSessionLimits()

    var vault: TOTPVault { TOTPVault(current: Self.secret, previous: nil) }
    var audit: AuditStore { AuditStore(postgres: test.client) }
    var store: SignInStore { SignInStore(postgres: test.client, limits: secondFactorLimits) }
    var sessions: OperatorSessionStore { OperatorSessionStore(postgres: test.client, limits: sessionLimits) }
    var create: CreateOperator {
        CreateOperator(store: OperatorStore(postgres: test.client), vault: vault)
    }
    var signIn: SignInOperator {
        SignInOperator(
            store: store, audit: audit, vault: vault, signer: TokenSigner(keys: Self.keys),
            sessionLimits: sessionLimits)
    }

    /// An operator with the authenticator that was enrolled.
    struct Enrolled: Sendable {
        let id: AdminID
        let phone: PhoneNumber
        let totp: TOTP
        var recoveryCodes: [RecoveryCode] = []

        /// The code of the present step of the database, or of one near it.
        func code(_ database: AdminDatabase, offset: Int64 = 0) async throws -> TOTPCode {
            try #require(TOTPCode(totp.code(step: try await database.step() + offset)))
        }

        /// A code that no step near the present one has.
        func wrongCode(_ database: AdminDatabase) async throws -> TOTPCode {
            try #require(TOTPCode(try await wrongText(database)))
        }

        /// The same, as it is typed.
        func wrongText(_ database: AdminDatabase) async throws -> String {
            let step = try await database.step()
            let near = Set((step - 3...step + 3).map(totp.code))
            return try #require((0...9).lazy.map { "00000\($0)" }.first { !near.contains($0) })
        }
    }

    func enrol(_ role: Role = .viewer, phone: String = "+919876543210") async throws -> Enrolled {
        let phone = try #require(PhoneNumber(e164: phone))
        let outcome = try await create(phone: phone, role: role, by: .command, origin: .command)
        guard case .created(let enrolled) = outcome else {
            Issue.record("not created")
            throw CancellationError()
        }
        return Enrolled(
            id: enrolled.admin.id, phone: phone, totp: TOTP(secret: enrolled.enrolment.secret),
            recoveryCodes: enrolled.recoveryCodes)
    }

    func step() async throws -> Int64 {
        let row = try #require(try await test.client.read("SELECT floor(extract(epoch FROM now()))::int8").first)
        return TOTP.step(at: try row.decode((Int64).self))
    }

    /// A proof of the phone, as otp-service would sign it.
    func proof(_ phone: PhoneNumber, challenge: ChallengeID = ChallengeID()) -> VerificationToken {
        VerificationToken(
            subject: phone, purpose: .adminSignIn, challengeID: challenge, expiresAt: Date() + 300)
    }

    /// The actions and reasons recorded so far, oldest first.
    func recorded() async throws -> [String] {
        let rows = try await test.client.read(
            "SELECT action || coalesce(' ' || reason, '') FROM audit_log ORDER BY at, id")
        return try rows.map { try $0.decode((String).self) }
    }

    /// Lets the audit log take no row any more, or none for which the condition holds.
    func refuseRows(where condition: String = "true") async throws {
        try await test.execute(
            """
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
            CREATE TRIGGER fail BEFORE INSERT ON audit_log FOR EACH ROW WHEN (\(condition)) EXECUTE FUNCTION fail();
            """)
    }

    func takeRowsAgain() async throws { try await test.execute("DROP FUNCTION fail() CASCADE") }

    func scalar(_ query: PostgresQuery) async throws -> Int {
        try #require(try await test.client.read(query).first).decode((Int).self)
    }
}

let testOrigin = AuditOrigin(requestID: "request-1", address: "203.0.113.9")

/// A migrated database for one test.
func withAdminDatabase<Value: Sendable>(
    _ body: (AdminDatabase) async throws -> Value
) async throws -> Value {
    try await withTestDatabase(migrations: AdminService.migrationsDirectory) { test in
        try await body(AdminDatabase(test: test))
    }
}

extension SignInOperator.Outcome {
    /// The outcome in a word, for expectations.
    var word: String {
        switch self {
        case .signedIn: "signed in"
        case .notAnAdmin: "not an admin"
        case .incorrect(let left): "incorrect, \(left) left"
        case .locked(.some): "locked"
        case .locked(nil): "locked for good"
        case .proofUsed: "proof used"
        }
    }
}
