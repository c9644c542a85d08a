import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing

@testable import AdminService

@Suite("Recovery codes", .timeLimit(.minutes(2)))
struct RecoveryCodeTests {
    @Test("what is typed")
    func typed() throws {
        let code = RecoveryCode()
        #expect(code.text.count == 29 && "\(code)" == "RecoveryCode(********)")
        let admin = AdminID()
        for typed in [code.text, code.text.lowercased(), code.text.filter { $0 != "-" }, " \(code.text) "] {
            #expect(RecoveryCode(typed)?.hash(for: admin) == code.hash(for: admin))
        }
        #expect(code.hash(for: AdminID()) != code.hash(for: admin))
        for typed in ["", "123456", String(code.text.dropLast()), code.text + "A", "0189-0189-0189-0189-0189-0189"] {
            #expect(RecoveryCode(typed) == nil)
        }
    }

    @Test("each signs in once, the database has none of them in the clear, and others' codes are of no use")
    func once() async throws {
        try await withAdminDatabase { database in
            let admin = try await database.enrol()
            let other = try await database.enrol(phone: "+919876543211")
            func signIn(_ code: RecoveryCode) async throws -> String {
                try await database.signIn(database.proof(admin.phone), factor: .recovery(code), origin: testOrigin).word
            }
            #expect(try await signIn(admin.recoveryCodes[0]) == "signed in")
            #expect(try await signIn(admin.recoveryCodes[0]).hasPrefix("incorrect"))
            #expect(try await signIn(other.recoveryCodes[0]).hasPrefix("incorrect"))
            #expect(try await signIn(admin.recoveryCodes[1]) == "signed in")
            let code = try await admin.code(database)
            #expect(
                try await database.signIn(database.proof(admin.phone), code: code, origin: testOrigin).word
                    == "signed in")
            #expect(try await database.recorded().contains("operator.signed_in recovery-code"))
            #expect(
                try await database.scalar("SELECT count(*) FROM admin_recovery_codes WHERE used_at IS NOT NULL") == 2)
        }
    }

    @Test("twenty at once with one code and proofs of their own sign in once")
    func race() async throws {
        try await withAdminDatabase { database in
            var database = database
            database.secondFactorLimits = SecondFactorLimits(
                failuresToLock: 100, lockSeconds: 60, failuresToDisable: 200)
            let admin = try await database.enrol()
            let words = try await parallel(20) { [database] _ in
                let word = try await database.signIn(
                    database.proof(admin.phone), factor: .recovery(admin.recoveryCodes[0]), origin: testOrigin
                ).word
                return word.hasPrefix("incorrect") ? "incorrect" : word
            }
            #expect(words == ["signed in": 1, "incorrect": 19])
        }
    }

    @Test("a lock holds for recovery codes too")
    func locked() async throws {
        try await withAdminDatabase { database in
            let admin = try await database.enrol()
            for _ in 0..<5 {
                let wrong = try await admin.wrongCode(database)
                _ = try await database.signIn(database.proof(admin.phone), code: wrong, origin: testOrigin)
            }
            let word = try await database.signIn(
                database.proof(admin.phone), factor: .recovery(admin.recoveryCodes[0]), origin: testOrigin
            ).word
            #expect(word == "locked")
            #expect(try await database.scalar("SELECT count(*) FROM admin_recovery_codes WHERE used_at IS NULL") == 10)
        }
    }

    @Test("the QR code has a frame, and the sheet for the terminal the address on a line of its own")
    func sheet() async throws {
        try await withAdminDatabase { database in
            let phone = try #require(PhoneNumber(e164: "+919876543210"))
            guard
                case .created(let enrolled) = try await database.create(
                    phone: phone, role: .owner, by: .command, origin: .command)
            else {
                Issue.record("not created")
                return
            }
            let lines = enrolled.sheet.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.first.map(String.init) == enrolled.uri)
            #expect(enrolled.recoveryCodes.allSatisfy { lines.contains("  \($0.text)") })
            let code = try #require(QRCode(enrolled.uri))
            // The corner that scanners look for (ISO/IEC 18004 §6.3.3).
            #expect(code.modules[0].prefix(7).allSatisfy { $0 } && code.modules[1].prefix(7).filter { $0 }.count == 2)
            #expect(code.terminalText.split(separator: "\n").allSatisfy { $0.count == code.modules.count + 4 })
        }
    }
}
