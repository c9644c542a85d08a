import HTTPServer
import Identity

/// A code on its way to a phone: one entry of otp-service's `GET /internal/challenges`, and our own with the phone masked.
///
/// The id of a challenge is left out: together with the code it is a proof.
struct DeliveredMessage: Sendable, Decodable {
    /// Read as it comes, masked or whole; always written masked.
    let phone: String
    let country: String?
    let purpose: String?
    let channel: String?
    /// How its delivery stands: `queued`, `submitted`, `delivered`, `failed`.
    let state: String?
    /// How its challenge stands: `active`, `verified`, `expired` and so on.
    let status: String?
    /// Why it failed, in otp-service's words.
    let reason: String?
    let attempts: Int?
    let resends: Int?
    let createdAt: WireTime
    let submittedAt: WireTime?
    let deliveredAt: WireTime?
    let verifiedAt: WireTime?

    enum CodingKeys: String, CodingKey {
        case phone, country, purpose, channel, state, status, reason, attempts, resends
        case createdAt = "created_at"
        case submittedAt = "submitted_at"
        case deliveredAt = "delivered_at"
        case verifiedAt = "verified_at"
    }

    /// Writes the message as an object. By hand: the reflection of a generic encoder costs more than everything else here.
    func write(to json: inout JSONText) {
        json.open("{")
        json.member("phone", maskedPhone)
        json.nullable("country", country)
        json.nullable("purpose", purpose)
        json.nullable("channel", channel)
        json.nullable("state", state)
        json.nullable("status", status)
        json.nullable("reason", reason)
        json.nullable("attempts", attempts)
        json.nullable("resends", resends)
        json.member("created_at", createdAt.text)
        json.nullable("submitted_at", submittedAt?.text)
        json.nullable("delivered_at", deliveredAt?.text)
        json.nullable("verified_at", verifiedAt?.text)
        json.close("}")
    }

    /// Masked here if it came whole.
    var maskedPhone: String { PhoneNumber(e164: phone)?.description ?? phone }
}

/// A page of messages, the latest first.
struct MessagePage: Sendable, Decodable {
    let messages: [DeliveredMessage]
    let nextCursor: String?
    /// Of the phone that was asked for; nil if none was.
    let lock: PhoneLock?
    let asOf: WireTime

    enum CodingKeys: String, CodingKey {
        case messages, challenges, lock
        case nextCursor = "next_cursor"
        case asOf = "as_of"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        messages =
            try container.decodeIfPresent([DeliveredMessage].self, forKey: .messages)
            ?? container.decode([DeliveredMessage].self, forKey: .challenges)
        nextCursor = try container.decodeIfPresent(String.self, forKey: .nextCursor)
        lock = try container.decodeIfPresent(PhoneLock.self, forKey: .lock)
        asOf = try container.decode(WireTime.self, forKey: .asOf)
    }

    var json: String {
        var json = JSONText(capacity: 256 + messages.count * 384)
        json.open("{")
        json.name("messages")
        json.open("[")
        for message in messages { message.write(to: &json) }
        json.close("]")
        json.nullable("next_cursor", nextCursor)
        if let lock {
            json.name("lock")
            lock.write(to: &json)
        }
        json.member("as_of", asOf.text)
        json.close("}")
        return json.text
    }
}
