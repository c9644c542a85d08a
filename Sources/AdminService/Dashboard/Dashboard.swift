import Caching
import Identity

/// The figures of both services as far as there are any, each with its age.
struct Dashboard: Sendable {
    let days: Int
    /// Nil if user-service gave no answer and none is remembered.
    let users: CachedValue<UserStatistics>?
    /// Nil if otp-service gave no answer and none is remembered.
    let messages: CachedValue<MessageStatistics>?

    /// Whether there is nothing to show.
    var isEmpty: Bool { users == nil && messages == nil }

    /// The services whose figures are missing.
    var missing: [ServiceName] { (users == nil ? [.user] : []) + (messages == nil ? [.otp] : []) }

    /// The age of the oldest part.
    var age: Duration { max(users?.age ?? .zero, messages?.age ?? .zero) }

    /// The moment of the oldest part.
    var asOf: WireTime? { [users?.value.asOf, messages?.value.asOf].compactMap(\.self).min() }
}

extension Dashboard: Encodable {
    private enum Keys: String, CodingKey {
        case days, users, messages, missing, total, active, suspended, new, sent, submitted, delivered, verified, failed
        case conversion, age, stale
        case asOf = "as_of"
        case signIns = "sign_ins"
        case byDay = "by_day"
        case outboxDepth = "outbox_depth"
        case outboxOldestSeconds = "outbox_oldest_seconds"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(days, forKey: .days)
        try container.encode(asOf, forKey: .asOf)
        if let users {
            var part = container.nestedContainer(keyedBy: Keys.self, forKey: .users)
            try Self.encode(users, to: &part)
        } else {
            try container.encodeNil(forKey: .users)
        }
        if let messages {
            var part = container.nestedContainer(keyedBy: Keys.self, forKey: .messages)
            try Self.encode(messages, to: &part)
        } else {
            try container.encodeNil(forKey: .messages)
        }
        try container.encode(missing.map(\.rawValue), forKey: .missing)
    }

    private static func encode(
        _ users: CachedValue<UserStatistics>, to part: inout KeyedEncodingContainer<Keys>
    ) throws {
        try part.encode(users.value.total, forKey: .total)
        try part.encode(users.value.active, forKey: .active)
        try part.encode(users.value.suspended, forKey: .suspended)
        try part.encode(users.value.new, forKey: .new)
        try part.encode(users.value.signIns, forKey: .signIns)
        try encodeAge(of: users, asOf: users.value.asOf, to: &part)
    }

    private static func encode(
        _ messages: CachedValue<MessageStatistics>, to part: inout KeyedEncodingContainer<Keys>
    ) throws {
        let value = messages.value
        try part.encode(value.total(\.sent), forKey: .sent)
        try part.encode(value.total(\.submitted), forKey: .submitted)
        try part.encode(value.total(\.delivered), forKey: .delivered)
        try part.encode(value.total(\.verified), forKey: .verified)
        try part.encode(value.total(\.failed), forKey: .failed)
        try part.encode(value.conversion, forKey: .conversion)
        try part.encode(value.days, forKey: .byDay)
        try part.encode(value.outboxDepth, forKey: .outboxDepth)
        try part.encode(value.outboxOldestSeconds, forKey: .outboxOldestSeconds)
        try encodeAge(of: messages, asOf: value.asOf, to: &part)
    }

    private static func encodeAge<Value>(
        of part: CachedValue<Value>, asOf: WireTime, to container: inout KeyedEncodingContainer<Keys>
    ) throws {
        try container.encode(asOf, forKey: .asOf)
        try container.encode(Freshness.seconds(part.age), forKey: .age)
        try container.encode(part.isStale, forKey: .stale)
    }
}
