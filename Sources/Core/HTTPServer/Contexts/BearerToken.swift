import HTTPTypes
package import Hummingbird

extension Request {
    /// The token of the `Authorization: Bearer` header (RFC 6750 §2.1).
    ///
    /// Throws 401 with a challenge: without `error` when there are no bearer credentials, with `invalid_token` when
    /// there are several or they are not a token.
    package func bearerToken() throws(Problem) -> String {
        var found: String?
        for field in headers where field.name == .authorization {
            guard found == nil else { throw .invalidToken("More than one Authorization header was sent.") }
            found = field.value
        }
        guard let found, let token = Self.bearerCredentials(found) else { throw .unauthenticated() }
        guard Self.isToken(token) else { throw .invalidToken() }
        return token
    }

    /// What follows the scheme if that is `Bearer`, in any case (RFC 9110 §11.1).
    private static func bearerCredentials(_ header: String) -> String? {
        let bytes = header.utf8
        guard bytes.count > 7, zip(bytes, "bearer ".utf8).allSatisfy({ $0 | 0x20 == $1 }) else { return nil }
        return String(header.utf8.dropFirst(7).drop { $0 == 0x20 }) ?? nil
    }

    /// The grammar `b64token` (RFC 6750 §2.1), at most 4 KiB: ours are far shorter.
    private static func isToken(_ text: String) -> Bool {
        guard (1...4096).contains(text.utf8.count) else { return false }
        var text = text
        return text.withUTF8 { bytes in bytes.allSatisfy { tokenBytes[Int($0)] } }
    }

    /// Looked up for each byte of each token.
    private static let tokenBytes: [Bool] = {
        let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
        let allowed = Set((letters + "0123456789-._~+/=").utf8)
        return (UInt8.min...UInt8.max).map(allowed.contains)
    }()
}

extension Problem {
    /// 401 for a request without credentials: the challenge says nothing more (RFC 6750 §3.1).
    package static func unauthenticated() -> Problem {
        Problem(.authenticationRequired, headers: [.wwwAuthenticate: "Bearer"])
    }

    /// 401 for credentials that are not valid, whatever the reason.
    package static func invalidToken(_ detail: String? = nil) -> Problem {
        Problem(.invalidToken, detail: detail, headers: [.wwwAuthenticate: #"Bearer error="invalid_token""#])
    }

    /// 403 for a valid token that is not enough for this.
    package static func insufficientScope(_ detail: String? = nil) -> Problem {
        Problem(.insufficientScope, detail: detail, headers: [.wwwAuthenticate: #"Bearer error="insufficient_scope""#])
    }
}
