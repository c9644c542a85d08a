import Foundation
import Crypto
import Identity
import Testing

@testable import AdminService

@Suite("TOTP")
struct TOTPTests {
    static let key = Secret(bytes: Array("12345678901234567890".utf8))

    @Test(
        "the vectors of RFC 6238, appendix B, for SHA-1",
        arguments: [
            (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"), (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"), (20_000_000_000, "65353130"),
        ] as [(Int64, String)])
    func vectors(seconds: Int64, eightDigits: String) {
        #expect(TOTP(secret: Self.key).code(step: TOTP.step(at: seconds)) == String(eightDigits.suffix(6)))
    }

    @Test(
        "the vectors of RFC 4226, appendix D",
        arguments: zip(
            Int64(0)...9,
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]))
    func counters(step: Int64, code: String) {
        #expect(TOTP(secret: Self.key).code(step: step) == code)
    }

    @Test("one step of drift on each side, no more")
    func drift() throws {
        let totp = TOTP(secret: Self.key)
        let code = try #require(TOTPCode(totp.code(step: 1000)))
        #expect(totp.matchingStep(code, at: 998 * 30 + 29) == nil)
        #expect(totp.matchingStep(code, at: 999 * 30) == 1000)
        #expect(totp.matchingStep(code, at: 1000 * 30) == 1000)
        #expect(totp.matchingStep(code, at: 1001 * 30 + 29) == 1000)
        #expect(totp.matchingStep(code, at: 1002 * 30) == nil)
        #expect(totp.matchingStep(try #require(TOTPCode(totp.code(step: 0))), at: 0) == 0)
    }

    @Test("a code is six ASCII digits and prints none of them")
    func codes() throws {
        for text in ["", "12345", "1234567", "12345a", " 12345", "+12345", "१२३४५६", "12345\u{301}", "１２３４５６"] {
            #expect(TOTPCode(text) == nil)
        }
        let code = try #require(TOTPCode("123456"))
        var dumped = ""
        dump(code, to: &dumped)
        #expect(!"\(code) \(String(reflecting: code)) \(dumped)".contains("123"))
    }

    @Test(
        "base32 by RFC 4648 §10, without padding",
        arguments: [
            ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ])
    func base32(text: String, encoded: String) {
        #expect(TOTPEnrolment.base32(Array(text.utf8)) == encoded)
    }

    @Test("the address for the authenticator")
    func uri() throws {
        let phone = try #require(PhoneNumber(e164: "+919876543210"))
        #expect(
            TOTPEnrolment(secret: Self.key).uri(account: phone)
                == "otpauth://totp/Postkey:%2B919876543210?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Postkey"
                + "&algorithm=SHA1&digits=6&period=30")
        let fresh = TOTPEnrolment()
        #expect(fresh.secret.bytes.count == 20)
        #expect(fresh.secret.bytes != TOTPEnrolment().secret.bytes)
    }
}

@Suite("TOTP vault")
struct TOTPVaultTests {
    let old = Secret(bytes: Array(repeating: 1, count: 32))
    let new = Secret(bytes: Array(repeating: 2, count: 32))
    let admin = AdminID()
    let secret = TOTPEnrolment().secret

    @Test("what is sealed opens again, and does not hold the secret")
    func roundTrip() throws {
        let vault = TOTPVault(current: old, previous: nil)
        let sealed = try vault.seal(secret, for: admin)
        #expect(sealed != (try vault.seal(secret, for: admin)), "the nonce is not fresh")
        #expect(sealed.count == 12 + 20 + 16)
        let opened = try vault.open(sealed, for: admin)
        #expect(opened.secret.bytes == secret.bytes)
        #expect(opened.resealed == nil)
    }

    @Test("it does not open for another operator, with another key, or when changed")
    func refusals() throws {
        let vault = TOTPVault(current: old, previous: nil)
        let sealed = try vault.seal(secret, for: admin)
        #expect(throws: TOTPVault.Unreadable.self) { try vault.open(sealed, for: AdminID()) }
        #expect(throws: TOTPVault.Unreadable.self) {
            try TOTPVault(current: new, previous: nil).open(sealed, for: admin)
        }
        for position in sealed.indices {
            var changed = sealed
            changed[position] ^= 1
            #expect(throws: TOTPVault.Unreadable.self) { try vault.open(changed, for: admin) }
        }
        #expect(throws: TOTPVault.Unreadable.self) { try vault.open([], for: admin) }
    }

    @Test("after a rotation it opens and is sealed anew")
    func rotation() throws {
        let sealed = try TOTPVault(current: old, previous: nil).seal(secret, for: admin)
        let opened = try TOTPVault(current: new, previous: old).open(sealed, for: admin)
        #expect(opened.secret.bytes == secret.bytes)
        let resealed = try #require(opened.resealed)
        #expect(try TOTPVault(current: new, previous: nil).open(resealed, for: admin).secret.bytes == secret.bytes)
    }

    @Test("the key is not the signing key itself")
    func derived() throws {
        let sealed = try TOTPVault(current: old, previous: nil).seal(secret, for: admin)
        let box = try AES.GCM.SealedBox(combined: sealed)
        let context = withUnsafeBytes(of: admin.uuid.uuid) { Array($0) }
        #expect(throws: (any Error).self) {
            try AES.GCM.open(box, using: SymmetricKey(data: old.bytes), authenticating: context)
        }
    }
}
