import Foundation
import HTTPServer
import HTTPTypes
import Hummingbird
import Identity
import Tokens

/// `GET /internal/changes`.
struct FeedRoutes: Sendable {
    let read: ReadChanges
    let cursors: FeedCursors
    let verifier: TokenVerifier

    func add(to router: PostkeyRouter) {
        router.group(
            "/internal/changes", serviceTokens: verifier, audience: .user, callers: [.otp, .admin]
        ).get { request, _ in
            let query = try request.query
            let cursor = try query.parsed("cursor", "a cursor of this feed", cursors.cursor)
            let wait = try query.integer("wait", default: 0, in: 0...25)
            do {
                let (page, waited) = try await read(after: cursor, wait: .seconds(wait))
                return Response.json(.ok, text: json(page, waited))
            } catch let error as FeedError {
                throw Self.problem(error)
            }
        }
    }

    private static func problem(_ error: FeedError) -> Problem {
        switch error {
        case .tooManyReaders: Problem(.serviceUnavailable, detail: "Too many readers are waiting.", retryAfter: 1)
        }
    }

    private func json(_ page: FeedPage, _ waited: Duration) -> String {
        var json = JSONText(capacity: 256 + page.changes.count * 192)
        json.open("{")
        json.name("changes")
        json.open("[")
        for change in page.changes { change.write(to: &json) }
        json.close("]")
        json.member("cursor", cursors.text(page.cursor))
        json.member("more", page.hasMore)
        json.member("reset", page.isReset)
        json.member("as_of", Timestamp.text(page.asOf))
        json.member("waited_ms", Int((waited / .milliseconds(1)).rounded(.down)))
        json.close("}")
        return json.text
    }
}

extension FeedChange {
    /// Writes what the change has; absent members are left out.
    func write(to json: inout JSONText) {
        json.open("{")
        json.member("kind", kind)
        if let userID { json.member("user_id", userID.description) }
        if let sessionID { json.member("session_id", sessionID.description) }
        if let tokenHash { json.member("token_hash", Self.hexadecimal(tokenHash)) }
        if let expiresAt { json.member("expires_at", Timestamp.text(expiresAt)) }
        if let notBefore { json.member("not_before", Timestamp.text(notBefore)) }
        json.close("}")
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
