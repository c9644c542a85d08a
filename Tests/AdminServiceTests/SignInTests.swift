import Postgres
import Foundation
import Identity
import PostgresTestKit
import Testing
import Tokens

@testable import AdminService

@Suite("Operators' sign-in", .timeLimit(.minutes(2)))
struct SignInTests {
    @Test("a phone proof and a code make a session, once")
    func signsIn() async throws {
        try await withAdminDatabase { database in
            let owner = try await database.enrol(.owner)
            let proof = database.proof(owner.phone)
            let outcome = try await database.signIn(proof, code: try await owner.code(database), origin: testOrigin)
            guard case .signedIn(let signedIn) = outcome else {
                Issue.record("\(outcome.word)")
                return
            }
            #expect(signedIn.admin.role == .owner && signedIn.admin.id == owner.id)
            let token = try await TokenVerifier(keys: AdminDatabase.keys).admin(signedIn.token)
            #expect(token.adminID == owner.id)
            #expect(abs(token.expiresAt.timeIntervalSinceNow - 12 * 3600) < 60)
            #expect(try await database.sessions.live(token.sessionID, of: owner.id)?.admin.role == .owner)

            let again = try await database.signIn(
                proof, code: try await owner.code(database, offset: 1), origin: testOrigin)
            #expect(again.word == "proof used")
            #expect(try await database.scalar("SELECT count(*) FROM admin_sessions") == 1)
            #expect(
                try await database.recorded() == [
                    "operator.created owner", "operator.signed_in",
                    "operator.sign_in_refused verification-already-used",
                ])
        }
    }

    @Test("a wrong code is counted and does not use up the proof")
    func wrongThenRight() async throws {
        try await withAdminDatabase { database in
            let admin = try await database.enrol()
            let proof = database.proof(admin.phone)
            let wrong = try await admin.wrongCode(database)
            for left in [4, 3, 2, 1] {
                #expect(
                    try await database.signIn(proof, code: wrong, origin: testOrigin).word == "incorrect, \(left) left")
            }
            let right = try await admin.code(database)
            #expect(try await database.signIn(proof, code: right, origin: testOrigin).word == "signed in")
            #expect(try await database.scalar("SELECT totp_failures::int8 FROM admins") == 0)
        }
    }

    @Test("five wrong codes lock, a right one does not open, time does")
    func lock() async throws {
        try await withAdminDatabase { database in
            let admin = try await database.enrol()
            let proof = database.proof(admin.phone)
            let wrong = try await admin.wrongCode(database)
            for _ in 0..<4 { _ = try await database.signIn(proof, code: wrong, origin: testOrigin) }
            guard case .locked(let seconds?) = try await database.signIn(proof, code: wrong, origin: testOrigin) else {
                Issue.record("not locked")
                return
            }
            #expect((895...900).contains(seconds))
            let fresh = database.proof(admin.phone)
            let right = try await admin.code(database)
            #expect(try await database.signIn(fresh, code: right, origin: testOrigin).word == "locked")
            #expect(try await database.signIn(fresh, code: right, origin: testOrigin).word == "locked")
            #expect(
                try await database.scalar("SELECT totp_failures::int8 FROM admins") == 5, "a locked code was counted")

            try await database.test.execute("UPDATE admins SET totp_locked_until = now() - interval '1 s'")
            let later = try await admin.code(database)
            #expect(try await database.signIn(fresh, code: later, origin: testOrigin).word == "signed in")
            #expect(
                try await database.recorded().filter { $0.contains("too-many") }.count == 1,
                "one refusal per proof and reason")
        }
    }

    @Test("a hundred wrong codes in a row lock for good")
    func lockForGood() async throws {
        try await withAdminDatabase { database in
            let admin = try await database.enrol()
            try await database.test.execute("UPDATE admins SET totp_failures = 99")
            let proof = database.proof(admin.phone)
            let wrong = try await admin.wrongCode(database)
            #expect(try await database.signIn(proof, code: wrong, origin: testOrigin).word == "locked for good")
            let right = try await admin.code(database)
            #expect(try await database.signIn(proof, code: right, origin: testOrigin).word == "locked for good")
        }
    }

    @Test("a code is accepted once, also of an earlier step, also with another proof")
    func replay() async throws {
        try await withAdminDatabase { database in
            let admin = try await database.enrol()
            let code = try await admin.code(database)
            let earlier = try await admin.code(database, offset: -1)
            let first = try await database.signIn(database.proof(admin.phone), code: code, origin: testOrigin)
            #expect(first.word == "signed in")
            for used in [code, earlier] {
                let outcome = try await database.signIn(database.proof(admin.phone), code: used, origin: testOrigin)
                #expect(outcome.word.hasPrefix("incorrect"))
            }
            #expect(try await database.scalar("SELECT count(*) FROM admin_sessions") == 1)
        }
    }

    @Test("fifty at once with one code and a proof each: one session")
    func parallelReplay() async throws {
        try await withAdminDatabase { database in
            let admin = try await database.enrol()
            let code = try await admin.code(database)
            let words = try await database.parallelBehindLock(50) { _ in
                try await database.signIn(database.proof(admin.phone), code: code, origin: testOrigin).word
            }
            #expect(words["signed in"] == 1)
            #expect(try await database.scalar("SELECT count(*) FROM admin_sessions") == 1)
            // One right, then five looked at and refused; the rest met the lock.
            #expect(try await database.scalar("SELECT totp_failures::int8 FROM admins") == 5)
        }
    }

    @Test("fifty at once with one proof and one code: one session, no failure counted")
    func parallelDoubleClick() async throws {
        try await withAdminDatabase { database in
            let admin = try await database.enrol()
            let code = try await admin.code(database)
            let proof = database.proof(admin.phone)
            let words = try await database.parallelBehindLock(50) { _ in
                try await database.signIn(proof, code: code, origin: testOrigin).word
            }
            #expect(words == ["signed in": 1, "proof used": 49])
            #expect(try await database.scalar("SELECT totp_failures::int8 FROM admins") == 0)
        }
    }

    @Test("fifty wrong codes at once: five are looked at")
    func parallelGuessing() async throws {
        try await withAdminDatabase { database in
            let admin = try await database.enrol()
            let wrong = try await admin.wrongCode(database)
            let words = try await database.parallelBehindLock(50) { _ in
                try await database.signIn(database.proof(admin.phone), code: wrong, origin: testOrigin).word
            }
            #expect(try await database.scalar("SELECT totp_failures::int8 FROM admins") == 5)
            #expect(words["locked"] == 46)
            #expect(try await database.recorded().filter { $0 == "operator.sign_in_failed incorrect-code" }.count == 5)
        }
    }

    @Test("a phone of nobody, or of one who was disabled, is refused and recorded once")
    func strangers() async throws {
        try await withAdminDatabase { database in
            let admin = try await database.enrol()
            let code = try await admin.code(database)
            try await database.test.execute("UPDATE admins SET disabled_at = now()")
            let proof = database.proof(admin.phone)
            for _ in 0..<3 {
                #expect(try await database.signIn(proof, code: code, origin: testOrigin).word == "not an admin")
            }
            #expect(
                try await database.recorded() == [
                    "operator.created viewer", "operator.sign_in_refused not-an-admin",
                ])
        }
    }

    @Test("the secret is sealed anew at the first sign-in after a rotation")
    func rotation() async throws {
        try await withAdminDatabase { database in
            let admin = try await database.enrol()
            let newKey = Secret(bytes: Array("another test key of more than 32 bytes".utf8))
            let rotated = SignInOperator(
                store: database.store, audit: database.audit,
                vault: TOTPVault(current: newKey, previous: AdminDatabase.secret),
                signer: TokenSigner(keys: AdminDatabase.keys), sessionLimits: database.sessionLimits)
            let code = try await admin.code(database)
            #expect(try await rotated(database.proof(admin.phone), code: code, origin: testOrigin).word == "signed in")
            let sealed = try #require(try await database.store.candidate(phone: admin.phone)).sealedSecret
            #expect(throws: Never.self) { try TOTPVault(current: newKey, previous: nil).open(sealed, for: admin.id) }
        }
    }
}

/// Runs the same work many times at once and counts what came of it.
func parallel(
    _ times: Int, _ work: @escaping @Sendable (Int) async throws -> String
) async throws -> [String: Int] {
    try await withThrowingTaskGroup(of: String.self) { group in
        for number in 0..<times { group.addTask { try await work(number) } }
        return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }
}

extension AdminDatabase {
    /// The same, with a barrier: the operators' rows are locked until several attempts wait for them, each with what it
    /// read before. A statement that decides by what it read before the lock lets all of these through.
    func parallelBehindLock(
        _ times: Int, _ work: @escaping @Sendable (Int) async throws -> String
    ) async throws -> [String: Int] {
        let test = test
        let attempts = try await test.client.transaction { transaction in
            _ = try await transaction.query("SELECT id FROM admins FOR UPDATE")
            let attempts = Task { try await parallel(times) { try await patiently($0, work) } }
            var waiting = 0
            for _ in 0..<200 where waiting < 4 {
                try await Task.sleep(for: .milliseconds(2))
                let row = try await test.client.read(
                    """
                    SELECT count(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event_type = 'Lock'
                    """
                ).first
                waiting = try row?.decode((Int).self) ?? 0
            }
            #expect(waiting >= 4, "nobody waited for the lock")
            return attempts
        }
        return try await attempts.value
    }
}

/// Tries again what only waited too long for the lock: nothing was done, and a client is told to come back.
private func patiently(_ number: Int, _ work: @Sendable (Int) async throws -> String) async throws -> String {
    while true {
        do {
            return try await work(number)
        } catch let error as PostgresError where error.sqlState == .lockNotAvailable {
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
