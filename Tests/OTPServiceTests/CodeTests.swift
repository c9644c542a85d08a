import Identity
import Testing

@testable import OTPService

@Suite("Codes")
struct CodeTests {
    static let id = ChallengeID("01a20c40-bf05-7cce-8357-9987f5f38d42")

    @Test("dynamic truncation is that of RFC 4226, section 5.4")
    func truncation() {
        let mac: [UInt8] = [
            0x1f, 0x86, 0x98, 0x69, 0x0e, 0x02, 0xca, 0x16, 0x61, 0x85,
            0x50, 0xef, 0x7f, 0x19, 0xda, 0x8e, 0x94, 0x5b, 0x55, 0x5a,
        ]
        #expect(OneTimeCode(truncating: mac, length: 6).digits == "872921")
        #expect(OneTimeCode(truncating: mac, length: 9).digits == "357872921")
    }

    @Test(
        "golden vectors, computed by another program",
        arguments: [
            ("01a20c40-bf05-7cce-8357-9987f5f38d42", "+919876543210", Purpose.signIn, 6, "374284"),
            ("01a20c40-bf05-7cce-8357-9987f5f38d42", "+919876543210", .changePhone, 6, "059605"),
            ("01a20c40-bf05-7cce-8357-9987f5f38d42", "+919876543210", .adminSignIn, 6, "049592"),
            ("01a20c40-bf05-7cce-8357-9987f5f38d42", "+919876543211", .signIn, 6, "658056"),
            ("01a20c40-bf05-7cce-8357-9987f5f38d42", "+919876500170", .signIn, 6, "006192"),
            ("01a20c40-bf05-7cce-8357-9987f5f38d42", "+919876543210", .signIn, 9, "725374284"),
            ("01a20c40-bf05-7cce-8357-9987f5f38d43", "+919876543210", .signIn, 8, "94734074"),
        ])
    func golden(id: String, phone: String, purpose: Purpose, length: Int, expected: String) throws {
        let code = Keys.codes.code(
            for: try #require(ChallengeID(id)), phone: try #require(PhoneNumber(e164: phone)), purpose: purpose,
            keyID: Keys.codes.currentID, length: length)
        #expect(code?.digits == expected)
    }

    @Test("the stored digest and the id of its key are stable")
    func sealing() throws {
        let id = try #require(Self.id)
        let sealed = Keys.codes.seal(try #require(OneTimeCode("042424")), for: id)
        #expect(sealed.keyID == "43b747c9")
        let text = sealed.digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(text == "f2e86b22ca88571fe0feffedb844bbfbc9fbd73c9a81c1e2c8074c8ff4e68bef")
    }

    @Test("after a rotation the old key still derives and checks, a third one does not")
    func rotation() throws {
        let id = try #require(Self.id)
        let phone = try #require(PhoneNumber(e164: "+919876543210"))
        let rotated = CodeKeys(current: Keys.newer, previous: Keys.code)
        let old = Keys.codes.currentID
        #expect(rotated.currentID != old)
        let code = rotated.code(for: id, phone: phone, purpose: .signIn, keyID: old, length: 6)
        #expect(code?.digits == "374284")
        let candidates = rotated.candidates(try #require(code), for: id)
        let sealed = Keys.codes.seal(try #require(code), for: id)
        #expect(candidates.previous == sealed)
        #expect(candidates.current != candidates.previous)
        let gone = CodeKeys(current: Keys.newer, previous: nil)
        #expect(gone.code(for: id, phone: phone, purpose: .signIn, keyID: old, length: 6) == nil)
    }

    @Test("OTP-02: 5 000 codes are flat in every position, leading zeros included")
    func flat() throws {
        let phone = try #require(PhoneNumber(e164: "+919876543210"))
        var counts = Array(repeating: Array(repeating: 0, count: 10), count: 6)
        for _ in 0..<5000 {
            let code = Keys.codes.code(
                for: ChallengeID(), phone: phone, purpose: .signIn, keyID: Keys.codes.currentID, length: 6)
            let digits = try #require(code).digits
            #expect(digits.utf8.count == 6)
            for (position, digit) in digits.utf8.enumerated() { counts[position][Int(digit) - 0x30] += 1 }
        }
        for position in counts {
            let chiSquare = position.reduce(0.0) { $0 + (Double($1) - 500) * (Double($1) - 500) / 500 }
            // 9 degrees of freedom: 1 in 10 000 000 is above.
            #expect(chiSquare < 52, "\(position)")
        }
    }

    @Test("only ASCII digits are a code", arguments: ["", "12 456", "１２３４５６", "-12345", "12345a", "٣٤٥٦٧٨", "1\n"])
    func refused(text: String) {
        #expect(OneTimeCode(text) == nil)
    }

    @Test("nothing that prints a code or a key shows it")
    func masked() throws {
        let code = try #require(OneTimeCode("482913"))
        var printed = "\(code) \(String(reflecting: code)) \(Keys.codes) \(String(reflecting: Keys.codes))"
        dump(code, to: &printed)
        dump(Keys.codes, to: &printed)
        #expect(!printed.contains("482913"))
        #expect(!printed.contains("kX3v9QwZ"))
        #expect(!printed.contains("107"))
    }
}
