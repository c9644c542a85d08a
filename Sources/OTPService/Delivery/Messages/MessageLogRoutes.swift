import Foundation
package import HTTPServer
import Hummingbird
import Identity
import Tokens

/// The messages of this service for the console: `GET /internal/challenges`, with service tokens only.
package struct MessageLogRoutes: Sendable {
    let log: MessageLog
    let tokens: TokenVerifier

    /// Adds the route.
    package func add(to router: PostkeyRouter) {
        let trusted = router.group("internal", serviceTokens: tokens, audience: .otp)
        trusted.get("challenges") { request, _ in
            let query = try request.query
            let phone = try query.parsed("phone", "a phone number in E.164") { text in
                // A plus sign that nobody escaped is a blank by now.
                PhoneNumber(e164: text.first == " " ? "+" + text.dropFirst() : text)
            }
            let cursor = try query.parsed("cursor", "a next_cursor of an earlier answer", MessageName.init)
            let limit = try query.integer("limit", default: 50, in: 1...200)
            let page = try await log.page(of: phone, before: cursor, limit: limit)
            return try Response.json(.ok, MessageLogAnswer(page, showsPhones: phone != nil))
        }
    }
}

/// 200 of `GET /internal/challenges`.
struct MessageLogAnswer: Encodable {
    struct Entry: Encodable {
        let challengeID: ChallengeID
        let number: Int
        let phone: String
        let country: String?
        let purpose: Purpose
        let channel: Channel
        let state: String
        let reason: String?
        let status: ChallengeStatus
        let tries: Int
        let attempts: Int
        let resends: Int
        let createdAt: Date
        let submittedAt: Date?
        let deliveredAt: Date?
        let verifiedAt: Date?
        let updatedAt: Date

        enum CodingKeys: String, CodingKey {
            case challengeID = "challenge_id"
            case number, phone, country, purpose, channel, state, reason, status, tries, attempts, resends
            case createdAt = "created_at"
            case submittedAt = "submitted_at"
            case deliveredAt = "delivered_at"
            case verifiedAt = "verified_at"
            case updatedAt = "updated_at"
        }
    }

    let messages: [Entry]
    let nextCursor: String?
    let asOf: Date

    init(_ page: MessageLogPage, showsPhones: Bool) {
        messages = page.messages.map { message in
            Entry(
                challengeID: message.name.challengeID, number: message.name.number,
                phone: showsPhones ? message.phone.e164 : message.phone.description, country: message.country,
                purpose: message.purpose, channel: message.channel, state: message.state.published,
                reason: message.reason, status: message.status, tries: message.tries, attempts: message.attempts,
                resends: message.resends, createdAt: message.createdAt, submittedAt: message.submittedAt,
                deliveredAt: message.deliveredAt, verifiedAt: message.verifiedAt, updatedAt: message.updatedAt)
        }
        nextCursor = page.next?.description
        asOf = page.asOf
    }

    enum CodingKeys: String, CodingKey {
        case messages
        case nextCursor = "next_cursor"
        case asOf = "as_of"
    }
}
