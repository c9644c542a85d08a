import Foundation
import Identity
import Testing

@Suite("Comparison in constant time")
struct ConstantTimeTests {
    @Test("is equality of bytes")
    func equality() {
        let bytes = (0..<32).map { _ in UInt8.random(in: 0...255) }
        #expect(ConstantTime.equal(bytes, bytes))
        #expect(ConstantTime.equal([], []))
        #expect(ConstantTime.equal(bytes[...], "".utf8) == false)
        #expect(ConstantTime.equal("123456".utf8, Array("123456".utf8)))
        for bit in 0..<256 {
            var other = bytes
            other[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!ConstantTime.equal(bytes, other), "bit \(bit)")
        }
        for count in 0..<32 { #expect(!ConstantTime.equal(bytes, bytes.prefix(count))) }
    }

    static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The Swift files below a folder, by path.
    static func files(_ folder: String) throws -> [(path: String, text: String)] {
        let found = FileManager.default.enumerator(
            at: sources.appending(path: folder), includingPropertiesForKeys: nil)
        return try (found?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "swift" }.map {
            ($0.path, try String(contentsOf: $0, encoding: .utf8))
        }
    }

    @Test("JWT-22: is written once, and what checks a code of a message uses it or the library's")
    func once() throws {
        let files = try Self.files("Sources")
        #expect(files.count > 100)
        let folds = files.filter { $0.text.contains(#/\$0 \| \(\$1\.0 \^ \$1\.1\)/#) }.map(\.path)
        #expect(folds.count == 1 && folds[0].hasSuffix("Identity/ConstantTime.swift"))
        // A code that was just made is never compared by ==, which stops at the first difference.
        let naive = files.filter { file in
            file.text.contains(#/authenticationCode\(for:[^\n]*\)[^\n]*[!=]= /#)
                || file.text.contains(#/[!=]= [^\n]*authenticationCode\(for:/#)
                || file.text.contains(
                    #/\b(code|mac|signature|hmac)(\([^\n]*\))? [!=]= (Self\.)?(code|mac|signature|hmac)\b/#)
        }
        #expect(naive.map(\.path).isEmpty)
    }

    static let jwtKit = sources.appending(path: ".build/checkouts/jwt-kit/Sources/JWTKit/HMAC/HMACSigner.swift")

    @Test(
        "JWT-22: is what JWTKit verifies HS256 by",
        .enabled(if: FileManager.default.fileExists(atPath: jwtKit.path), "where its sources are"))
    func library() throws {
        let text = try String(contentsOf: Self.jwtKit, encoding: .utf8)
        let body = try #require(text.components(separatedBy: "func verify(").last)
        // swift-crypto's: BoringSSL's CRYPTO_memcmp, or safeCompare.
        #expect(body.contains("HMAC<SHAType>.isValidAuthenticationCode("))
    }
}
