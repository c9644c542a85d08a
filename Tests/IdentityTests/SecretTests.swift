import Identity
import Testing

@Suite("A secret")
struct SecretTests {
    static let good = [
        "c1f0a7d93b5e2846af17c08e5d6b9324e8f1a05c7d92b3460e5f8a1c4d7b2936",
        "q3k1sV0p7nXy2mZ8rT5wB9cJ4fL6hD0aGQeUiOxNvYs=", "vT9#kq2!xLw8@zRm4$Bn7^Yd1&Hs5*Jf",
    ]

    @Test("may be hexadecimal, base64 or text", arguments: good)
    func accepted(_ text: String) throws {
        #expect(try Secret(validating: text).bytes == Array(text.utf8))
    }

    static let weak: [(String, WeakSecret)] = [
        ("", .tooShort), ("secret", .tooShort), ("changeme", .tooShort), ("vT9#kq2!xLw8@zRm4$Bn7^Yd1&Hs5*J", .tooShort),
        (String(repeating: "a1", count: 31), .tooShort), ("c1f0a7d93b5e2846af17c08e5d6b93", .tooShort),
        (String(repeating: "x", count: 32), .repetitive), (String(repeating: "\0", count: 40), .repetitive),
        (String(repeating: "abcdefghijklmnop", count: 4), .repetitive),
        ("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", .repetitive),
        (String(repeating: "ab12", count: 20), .repetitive),
        ("your-256-bit-secret-goes-in-here!!", .wellKnown), ("CHANGEME-vT9#kq2!xLw8@zRm4$Bn7^Yd", .wellKnown),
        ("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", .wellKnown),
    ]

    @Test("is refused when it is weak", arguments: weak)
    func refused(_ text: String, _ reason: WeakSecret) {
        #expect(throws: reason) { try Secret(validating: text) }
        if text.utf8.count > 5 { #expect(!reason.description.contains(text)) }
    }

    @Test("never prints itself")
    func masked() throws {
        let text = Self.good[0]
        let secret = try Secret(validating: text)
        var dumped = ""
        dump(secret, to: &dumped)
        for printed in ["\(secret)", String(reflecting: secret), String(describing: [secret]), dumped] {
            #expect(!printed.contains(text))
            #expect(!printed.contains("\(Array(text.utf8).prefix(4))".dropLast()))
        }
        #expect(secret.description == "Secret(64 bytes)")
    }

    @Test("made at random is always good enough")
    func random() throws {
        for _ in 0..<2000 {
            var text = ""
            for _ in 0..<32 {
                let byte = UInt8.random(in: .min ... .max)
                text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
            _ = try Secret(validating: text)
        }
    }
}
