package import HTTPClient
package import Tokens

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
package import Identity

/// How to reach user-service.
package struct UserServiceClient: Sendable {
    let client: HTTPClient
    let baseURL: String
    let caller: ServiceName
    let signer: TokenSigner

    /// - Parameters:
    ///   - baseURL: `USER_SERVICE_URL`, without a slash at its end.
    ///   - caller: who asks.
    package init(client: HTTPClient, baseURL: String, caller: ServiceName, signer: TokenSigner) {
        self.client = client
        self.baseURL = baseURL
        self.caller = caller
        self.signer = signer
    }

    /// Asks for a document, with a service token of a minute. Throws `HTTPClientError`, or what signing does.
    func get(_ path: String, timeout: Duration) async throws -> HTTPClientResponse {
        let now = Date()
        let token = try signer.sign(
            ServiceToken(service: caller, audience: .user, expiresAt: now + ServiceToken.lifetime), now: now)
        return try await client.send(
            HTTPClientRequest(url: baseURL + path, headers: [("Authorization", "Bearer \(token)")]), timeout: timeout)
    }
}

/// `USER_SERVICE_URL`.
package struct UserServiceURL: Sendable, Hashable {
    /// `http://user-service:8082`, without a slash at its end.
    package let text: String
    /// Plain http may be spoken to it.
    package let host: String

    /// Where user-service listens when all services are on one machine.
    package static let local = UserServiceURL(text: "http://127.0.0.1:8082", host: "127.0.0.1")

    private init(text: String, host: String) {
        self.text = text
        self.host = host
    }

    /// Reads `scheme://host[:port]`; nil for anything else.
    package init?(_ text: String) {
        let trimmed = text.hasSuffix("/") ? String(text.dropLast()) : text
        guard let scheme = ["http://", "https://"].first(where: trimmed.hasPrefix) else { return nil }
        let authority = trimmed.dropFirst(scheme.count)
        guard !authority.isEmpty, !authority.contains(where: { "/?#@\\ ".contains($0) }) else { return nil }
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = String(authority[...end])
        } else {
            let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
            guard let first = parts.first, !first.isEmpty,
                parts.count == 1 || parts.count == 2 && UInt16(parts[1]) != nil
            else { return nil }
            host = String(first)
        }
        self.text = trimmed
    }
}
