import Crypto
import Foundation
import Identity
@testable import Tokens

/// Builds tokens by hand, so that every way of being wrong can be spelt out.
enum Forgery {
    static let key = Secret(bytes: Array("vT9#kq2!xLw8@zRm4$Bn7^Yd1&Hs5*Jf".utf8))
    static let otherKey = Secret(bytes: Array("aH3(pW6)eN1_uC8+tK5=oG2-iM7.sX4/".utf8))
    static let now = Date(timeIntervalSince1970: 1_790_000_000)
    static let header = #"{"alg":"HS256","typ":"at+jwt"}"#
    static let user = "0190c2b6-7b5c-7def-8abc-0123456789ab"
    static let session = "0190c2b6-7b5c-7def-8abc-0123456789ac"
    static let id = "0190c2b6-7b5c-7def-8abc-0123456789ad"

    /// The members of a good access token, in order.
    static let members: [(name: String, value: String)] = [
        ("iss", #""user-service""#), ("sub", #""\#(user)""#), ("aud", #""api""#), ("exp", "1790000900"),
        ("iat", "1790000000"), ("nbf", "1790000000"), ("jti", #""\#(id)""#), ("sid", #""\#(session)""#),
    ]

    /// A payload with some members replaced, removed (nil) or added.
    static func payload(_ changes: [String: String?] = [:]) -> String {
        var parts: [String] = []
        for member in members {
            let value = changes.keys.contains(member.name) ? changes[member.name].flatMap(\.self) : member.value
            if let value { parts.append(#""\#(member.name)":\#(value)"#) }
        }
        for (name, value) in changes where !members.contains(where: { $0.name == name }) {
            if let value { parts.append(#""\#(name)":\#(value)"#) }
        }
        return "{" + parts.joined(separator: ",") + "}"
    }

    static func base64URL(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    static func token(_ header: String = header, _ payload: String = payload(), key: [UInt8] = key.bytes) -> String {
        signed(base64URL(header.utf8) + "." + base64URL(payload.utf8), key: key)
    }

    static func signed(_ input: String, key: [UInt8] = key.bytes) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Array(input.utf8), using: SymmetricKey(data: key))
        return input + "." + base64URL(code)
    }

    static func verifier(_ keys: TokenKeys = TokenKeys(current: key, previous: nil), at time: Date = now)
        -> TokenVerifier
    {
        TokenVerifier(keys: keys, now: { time })
    }
}
