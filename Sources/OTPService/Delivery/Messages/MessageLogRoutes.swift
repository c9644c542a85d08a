import Foundation
package import HTTPServer
import Hummingbird
import Identity
import Tokens

/// The messages of this service for the console: `GET /internal/challenges`, with service tokens only.
package struct MessageLogRoutes: Sendable {
    let log: MessageLog
    let locks: PhoneLockStore
    let cursors: MessageCursors
    let tokens: TokenVerifier

    /// Adds the route.
    package func add(to router: PostkeyRouter) {
        let trusted = router.group("internal", serviceTokens: tokens, audience: .otp, callers: [.admin])
        trusted.get("challenges") { request, _ in
            let query = try request.query
            let phone = try query.parsed("phone", "a phone number in E.164") { text in
                // A plus sign that nobody escaped is a blank by now.
                PhoneNumber(e164: text.first == " " ? "+" + text.dropFirst() : text)
            }
            let cursor = try query.parsed("cursor", "a next_cursor of an earlier page of the same list") { text in
                cursors.place(text, of: phone)
            }
            let limit = try query.integer("limit", default: 50, in: 1...200)
            async let lock = lock(of: phone)
            let page = try await log.page(of: phone, before: cursor, limit: limit)
            let next = try page.next.map { try cursors.text($0, of: phone) }
            return Response.json(.ok, text: page.json(next: next, lock: try await lock))
        }
    }

    private func lock(of phone: PhoneNumber?) async throws -> PhoneLock? {
        guard let phone else { return nil }
        return try await locks.lock(of: phone)
    }
}

extension MessageLogPage {
    /// 200 of `GET /internal/challenges`. By hand: the reflection of a generic encoder costs more than the query does.
    ///
    /// - Parameter lock: of the phone that was asked for, which is shown whole then; nil for the messages of all.
    func json(next: String?, lock: PhoneLock?) -> String {
        var json = JSONText(capacity: 256 + messages.count * 512)
        json.open("{")
        json.name("messages")
        json.open("[")
        for message in messages { message.write(to: &json, showsPhone: lock != nil) }
        json.close("]")
        if let next { json.member("next_cursor", next) }
        lock?.write(to: &json)
        json.member("as_of", Timestamp.text(asOf))
        json.close("}")
        return json.text
    }
}

extension PhoneLock {
    fileprivate func write(to json: inout JSONText) {
        json.name("lock")
        json.open("{")
        json.member("state", published)
        json.member("failures", failures)
        if case .until(let moment) = state { json.member("until", Timestamp.text(moment)) }
        json.close("}")
    }
}

extension LoggedMessage {
    fileprivate func write(to json: inout JSONText, showsPhone: Bool) {
        json.open("{")
        json.member("challenge_id", name.challengeID.description)
        json.member("number", name.number)
        json.member("phone", showsPhone ? phone.e164 : phone.description)
        if let country { json.member("country", country) }
        json.member("purpose", purpose.rawValue)
        json.member("channel", channel.rawValue)
        json.member("state", state.published)
        if let reason { json.member("reason", reason) }
        json.member("status", status.rawValue)
        json.member("tries", tries)
        json.member("attempts", attempts)
        json.member("resends", resends)
        json.member("created_at", Timestamp.text(createdAt))
        if let submittedAt { json.member("submitted_at", Timestamp.text(submittedAt)) }
        if let deliveredAt { json.member("delivered_at", Timestamp.text(deliveredAt)) }
        if let verifiedAt { json.member("verified_at", Timestamp.text(verifiedAt)) }
        json.member("updated_at", Timestamp.text(updatedAt))
        json.close("}")
    }
}
