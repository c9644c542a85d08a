import Foundation

/// Tokens that are each wrong in one way, made from one that is good, as somebody makes them who knows the secret or does not.
package struct HostileTokens: Sendable {
    package struct Token: Sendable {
        package let name: String
        package let text: String
    }

    private let header: String
    private let payload: String
    private let signature: String
    private let sign: @Sendable (_ input: String, _ key: [UInt8]?) -> String

    /// - Parameters:
    ///   - good: a token that is taken.
    ///   - sign: HMAC-SHA-256 of a text in base64url, with the service's own key or with another.
    package init?(good: String, sign: @escaping @Sendable (_ input: String, _ key: [UInt8]?) -> String) {
        let parts = good.split(separator: ".").map(String.init)
        guard parts.count == 3, let header = Self.text(parts[0]), let payload = Self.text(parts[1]) else { return nil }
        self.header = header
        self.payload = payload
        signature = parts[2]
        self.sign = sign
    }

    /// A good token made anew: the control.
    package var control: String { signed(header, payload) }

    package var all: [Token] { algorithms + headers + keyIDs + claims + forms }

    /// JWT-01, JWT-03: unsigned, or by an algorithm that is not ours, with a signature that would be right.
    private var algorithms: [Token] {
        let words = [
            #""none""#, #""None""#, #""NONE""#, #""nOnE""#, #""""#, "null", #"["HS256"]"#, #""hs256""#, #""HS256 ""#,
            #""HS384""#, #""HS512""#, #""RS256""#, #""ES256""#, #""EdDSA""#, "0", "true",
        ]
        return words.flatMap { word -> [Token] in
            let other = header.replacing(#""alg":"HS256""#, with: #""alg":\#(word)"#)
            let input = Self.base64(other) + "." + Self.base64(payload)
            return [
                Token(name: "alg \(word), signed", text: input + "." + sign(input, nil)),
                Token(name: "alg \(word), unsigned", text: input + "."),
                Token(name: "alg \(word), no third part", text: input),
                Token(name: "alg \(word), another's signature", text: input + "." + signature),
            ]
        } + [Token(name: "no alg", text: signed(header.replacing(#""alg":"HS256","#, with: ""), payload))]
    }

    /// JWT-06, JWT-07: members that must not be ignored, under a right signature.
    private var headers: [Token] {
        [
            #""crit":["x"]"#, #""crit":[]"#, #""b64":false,"crit":["b64"]"#, #""zip":"DEF""#, #""cty":"JWT""#,
            #""jwk":{"kty":"oct","k":"YQ"}"#, #""jku":"http://127.0.0.1/k""#, #""x5u":"http://127.0.0.1/k""#,
            #""x5c":["MIIB"]"#, #""alg":"HS256""#, #""\u0061lg":"HS256""#,
        ].map { Token(name: "header \($0)", text: signed(Self.adding($0, to: header), payload)) } + [
            Token(name: "typ JWT", text: signed(header.replacing(#/"typ":"[^"]*"/#, with: #""typ":"JWT""#), payload)),
            Token(name: "no typ", text: signed(header.replacing(#/,?"typ":"[^"]*"/#, with: ""), payload)),
        ]
    }

    /// JWT-05: names of keys that are no names, and signatures by keys that nobody has.
    private var keyIDs: [Token] {
        let names = [
            #""' OR 1=1--""#, #""x' UNION SELECT 'a'--""#, #""../../../../dev/null""#, #""/dev/null""#,
            #""http://127.0.0.1/k""#, #""\u0000""#, "7", "null", "\"" + String(repeating: "k", count: 10_000) + "\"",
        ]
        return names.flatMap { name -> [Token] in
            let other = header.replacing(#/"kid":"[^"]*"/#, with: #""kid":\#(name)"#)
            return [[], Array("a".utf8)].map { (key: [UInt8]) in
                Token(name: "kid \(name.prefix(30))", text: signed(other, payload, key: key))
            }
        }
    }

    /// JWT-02, JWT-08, JWT-10, JWT-12: claims that are not so.
    private var claims: [Token] {
        let now = Int(Date().timeIntervalSince1970)
        func with(_ name: String, _ value: String?) -> String {
            let pattern = try? Regex(#""\#(name)":("[^"]*"|\[[^\]]*\]|[0-9.e+-]+)"#)
            guard let pattern else { return payload }
            guard let value else { return payload.replacing(pattern, with: #""x":1"#) }
            return payload.replacing(pattern, with: "\"\(name)\":\(value)")
        }
        let others: [(String, String)] = [
            ("exp past", with("exp", "\(now - 61)")), ("no exp", with("exp", nil)), ("exp text", with("exp", #""x""#)),
            ("exp huge", with("exp", "1e999")), ("nbf later", with("nbf", "\(now + 120)")),
            ("iat later", with("iat", "\(now + 3600)")), ("no iat", with("iat", nil)),
            ("aud other", with("aud", #""somebody""#)), ("no aud", with("aud", nil)), ("aud empty", with("aud", "[]")),
            ("aud list of others", with("aud", #"["a","b"]"#)), ("iss other", with("iss", #""somebody""#)),
            ("no iss", with("iss", nil)), ("sub no id", with("sub", #""1""#)), ("no sub", with("sub", nil)),
            ("no jti", with("jti", nil)), ("no sid", with("sid", nil)),
            ("sub twice", Self.adding(#""sub":"x""#, to: payload)),
            ("role escaped", Self.adding(#""r\u006fle":"owner""#, to: payload)),
        ]
        return others.filter { $0.1 != payload }.map { Token(name: $0.0, text: signed(header, $0.1)) } + [
            Token(
                name: "payload changed",
                text: Self.base64(header) + "." + Self.base64(with("sub", #""x""#)) + "." + signature)
        ]
    }

    /// JWT-13, JWT-14: what is no token at all, or is very much of one.
    private var forms: [Token] {
        let deep = String(repeating: "[", count: 4000) + String(repeating: "]", count: 4000)
        let many = "{" + (0..<500).map { "\"k\($0)\":1" }.joined(separator: ",") + "}"
        return [
            ".", "..", "x", "a.b.c", control + ".", "." + control, control + "=", String(control.dropLast()),
            String(repeating: ".", count: 10_000), String(repeating: "A", count: 8000),
            String(repeating: "A", count: 79_000), String(repeating: "A", count: 1_000_000), signed(deep, payload),
            signed(header, deep), signed(many, payload), signed(header, many), signed("", payload), signed(header, ""),
        ].map { Token(name: "form \($0.prefix(20)) of \($0.utf8.count)", text: $0) }
    }

    private func signed(_ header: String, _ payload: String, key: [UInt8]? = nil) -> String {
        let input = Self.base64(header) + "." + Self.base64(payload)
        return input + "." + sign(input, key)
    }

    private static func adding(_ member: String, to object: String) -> String {
        "{" + member + "," + object.dropFirst()
    }

    private static func text(_ part: String) -> String? {
        let base = part.replacing("-", with: "+").replacing("_", with: "/")
        return Data(base64Encoded: base + String(repeating: "=", count: (4 - base.utf8.count % 4) % 4)).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    package static func base64(_ text: String) -> String { base64(Array(text.utf8)) }

    package static func base64(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
