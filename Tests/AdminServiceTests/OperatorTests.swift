import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing

@testable import AdminService

@Suite("Operators and their sessions", .timeLimit(.minutes(2)))
struct OperatorTests {
    @Test("two active operators never share a phone")
    func duplicates() async throws {
        try await withAdminDatabase { database in
            let first = try await database.enrol(.owner)
            let second = try await database.create(phone: first.phone, role: .viewer, by: .command, origin: .command)
            guard case .alreadyExists = second else {
                Issue.record("made a second one")
                return
            }
            #expect(try await database.recorded() == ["operator.created owner"])
            try await database.test.execute("UPDATE admins SET disabled_at = now()")
            _ = try await database.enrol(.viewer)
            #expect(try await database.scalar("SELECT count(*) FROM admins") == 2)
        }
    }

    @Test("OPS-11: a phone that is taken is no error, which PostgreSQL would log with the phone")
    func noError() async throws {
        try await withAdminDatabase { database in
            let taken = try await database.enrol(.owner)
            let new = OperatorStore.New(
                admin: Operator(id: AdminID(), phone: taken.phone, role: .viewer),
                sealedSecret: [UInt8](repeating: 1, count: 64), recoveryHashes: [])
            let usable = try await database.test.client.transaction { transaction in
                let added = try await transaction.query(
                    OperatorStore.insertion(new, by: .command, origin: .command))
                #expect(added.isEmpty)
                return try await transaction.query("SELECT 1").count
            }
            #expect(usable == 1)
            #expect(try await database.recorded() == ["operator.created owner"])
        }
    }

    @Test("fifty at once make one operator")
    func parallelCreation() async throws {
        try await withAdminDatabase { database in
            let phone = try #require(PhoneNumber(e164: "+919876543210"))
            let outcomes = try await parallel(50) { _ in
                switch try await database.create(phone: phone, role: .viewer, by: .command, origin: .command) {
                case .created: "created"
                case .alreadyExists: "exists"
                }
            }
            #expect(outcomes == ["created": 1, "exists": 49])
            #expect(try await database.recorded().count == 1)
        }
    }

    @Test("enrolling anew disables the one before, with the sessions")
    func replacing() async throws {
        try await withAdminDatabase { database in
            let old = try await database.enrol(.owner)
            let session = try await signIn(old, database)
            let outcome = try await database.create(
                phone: old.phone, role: .support, replacing: true, by: .command, origin: .command)
            guard case .created(let enrolled) = outcome else {
                Issue.record("not created")
                return
            }
            #expect(try await database.store.candidate(phone: old.phone)?.id == enrolled.admin.id)
            #expect(try await database.sessions.live(session, of: old.id) == nil)
            #expect(try await database.scalar("SELECT count(*) FROM admin_sessions WHERE ended_at IS NULL") == 0)
            let oldCode = try await old.code(database, offset: 1)
            let word = try await database.signIn(database.proof(old.phone), code: oldCode, origin: testOrigin).word
            #expect(word.hasPrefix("incorrect"), "the old authenticator still works")
            #expect(
                try await database.recorded() == [
                    "operator.created owner", "operator.signed_in", "operator.disabled replaced",
                    "operator.created support", "operator.sign_in_failed incorrect-code",
                ])
        }
    }

    @Test("the database holds neither the secret nor a masked one in the clear")
    func sealed() async throws {
        try await withAdminDatabase { database in
            let phone = try #require(PhoneNumber(e164: "+919876543210"))
            let outcome = try await database.create(phone: phone, role: .owner, by: .command, origin: .command)
            guard case .created(let enrolled) = outcome else {
                Issue.record("not created")
                return
            }
            let sealed = try #require(try await database.store.candidate(phone: phone)).sealedSecret
            let secret = try database.vault.open(sealed, for: enrolled.admin.id).secret
            #expect(enrolled.uri.contains("secret=\(TOTPEnrolment.base32(secret.bytes))&"))
            #expect(!Data(sealed).contains(Data(secret.bytes)))
        }
    }

    @Test("logout, demotion and removal hold at the next look, idle and absolute limits by the database's clock")
    func sessions() async throws {
        try await withAdminDatabase { database in
            let admin = try await database.enrol(.owner)
            let session = try await signIn(admin, database)
            func role() async throws -> Role? {
                try await database.sessions.live(session, of: admin.id)?.admin.role
            }
            func after(_ change: String, expect expected: Role?) async throws {
                try await database.test.execute(change)
                #expect(try await role() == expected, "\(change)")
            }
            #expect(try await role() == .owner)
            #expect(try await database.sessions.live(session, of: AdminID()) == nil)
            #expect(try await database.sessions.live(SessionID(), of: admin.id) == nil)
            try await after("UPDATE admins SET role = 'viewer'", expect: .viewer)
            try await after("UPDATE admins SET disabled_at = now()", expect: nil)
            try await after("UPDATE admins SET disabled_at = NULL", expect: .viewer)
            try await after(
                """
                UPDATE admin_sessions SET created_at = now() - interval '1 h', last_seen_at = now() - interval '29 min 59 s'
                """, expect: .viewer)
            try await after("UPDATE admin_sessions SET last_seen_at = now() - interval '30 min'", expect: nil)
            try await after(
                "UPDATE admin_sessions SET created_at = now() - interval '11 h 59 min', last_seen_at = now()",
                expect: .viewer)
            try await after("UPDATE admin_sessions SET created_at = now() - interval '12 h'", expect: nil)
            try await after("UPDATE admin_sessions SET created_at = now() - interval '1 h'", expect: .viewer)
            for _ in 0..<3 { try await database.sessions.end(session, of: admin.id, origin: testOrigin) }
            #expect(try await role() == nil)
            #expect(try await database.recorded().filter { $0 == "operator.signed_out" }.count == 1)
        }
    }

    @Test("use keeps a session alive, and is written once a minute; what has ended is not revived")
    func touching() async throws {
        try await withAdminDatabase { database in
            let admin = try await database.enrol()
            let session = try await signIn(admin, database)
            #expect(try await database.sessions.live(session, of: admin.id)?.isTouchDue == false)
            try await database.test.execute(
                "UPDATE admin_sessions SET created_at = now() - interval '1 h', last_seen_at = now() - interval '20 min'"
            )
            #expect(try await database.sessions.live(session, of: admin.id)?.isTouchDue == true)
            try await database.sessions.touch(session)
            #expect(try await database.sessions.live(session, of: admin.id)?.isTouchDue == false)
            try await database.test.execute("UPDATE admin_sessions SET last_seen_at = now() - interval '31 min'")
            try await database.sessions.touch(session)
            #expect(try await database.sessions.live(session, of: admin.id) == nil)
        }
    }

    @Test(
        "the audit log takes rows and never gives them up",
        arguments: [
            "UPDATE audit_log SET reason = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log",
            "TRUNCATE audit_log, admins CASCADE", "SET session_replication_role = replica; DELETE FROM audit_log",
        ])
    func appendOnly(statement: String) async throws {
        try await withAdminDatabase { database in
            _ = try await database.enrol()
            await #expect(throws: (any Error).self) { try await database.test.execute(statement) }
            #expect(try await database.scalar("SELECT count(*) FROM audit_log") == 1)
        }
    }

    @Test("what cannot be recorded is not done")
    func auditFails() async throws {
        try await withAdminDatabase { database in
            let admin = try await database.enrol()
            let session = try await signIn(admin, database)
            try await database.refuseRows()
            let code = try await admin.code(database, offset: 1)
            await #expect(throws: NotRecorded.self) {
                try await database.signIn(database.proof(admin.phone), code: code, origin: testOrigin)
            }
            await #expect(throws: NotRecorded.self) {
                try await database.sessions.end(session, of: admin.id, origin: testOrigin)
            }
            #expect(try await database.scalar("SELECT count(*) FROM admin_sessions WHERE ended_at IS NULL") == 1)
            let other = try #require(PhoneNumber(e164: "+919876543211"))
            await #expect(throws: NotRecorded.self) {
                try await database.create(phone: other, role: .viewer, by: .command, origin: .command)
            }
            #expect(try await database.scalar("SELECT count(*) FROM admins") == 1)
        }
    }

    private func signIn(_ admin: AdminDatabase.Enrolled, _ database: AdminDatabase) async throws -> SessionID {
        let verdict = try await database.store.decide(
            SignInStore.Attempt(
                admin: admin.id, challenge: ChallengeID(), step: try await database.step(), resealed: nil),
            origin: testOrigin)
        guard case .accepted(let session) = verdict else {
            Issue.record("not signed in")
            throw CancellationError()
        }
        return session.id
    }
}
