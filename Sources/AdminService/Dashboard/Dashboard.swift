import Caching
import Identity

/// The figures of both services as far as there are any, each with its age.
struct Dashboard: Sendable {
    let days: Int
    /// Nil if user-service gave no answer and none is remembered.
    let users: CachedValue<UserStatistics>?
    /// Nil if otp-service gave no answer and none is remembered.
    let messages: CachedValue<MessageStatistics>?
    /// Nil if it was not asked for.
    var health: ServicesHealth?
    /// Nil if otp-service does not say.
    var sending: CachedValue<SendingState>?
    /// The states of destinations; nil if otp-service does not say.
    var destinations: DestinationBoard?

    /// Whether there is nothing to show.
    var isEmpty: Bool { users == nil && messages == nil }

    /// The countries with most messages, the first ten, each with what keeps codes from it.
    var countries: [MessageStatistics.Country]? {
        messages?.value.countries?.prefix(10).map { country in
            var country = country
            country.state = destinations?.state(ofCountry: country.country)
            return country
        }
    }

    /// The blocks of numbers with most messages, the first ten, each with what keeps codes from it or from a part of it.
    var prefixes: [MessageStatistics.Prefix]? {
        messages?.value.prefixes?.prefix(10).map { prefix in
            var prefix = prefix
            prefix.state = destinations?.state(ofBlock: prefix.prefix, in: prefix.country)
            return prefix
        }
    }

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
        case conversion, age, stale, deleted, services, failures, sending, budget, gateway
        case asOf = "as_of"
        case signIns = "sign_ins"
        case byDay = "by_day"
        case byHour = "by_hour"
        case byCountry = "by_country"
        case byPrefix = "by_prefix"
        case medianSecondsToVerify = "median_seconds_to_verify"
        case activeByDay = "active_by_day"
        case activeToday = "active_today"
        case activeThisWeek = "active_this_week"
        case activeThisMonth = "active_this_month"
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
            try encode(messages, to: &part)
        } else {
            try container.encodeNil(forKey: .messages)
        }
        try container.encode(missing.map(\.rawValue), forKey: .missing)
        try container.encodeIfPresent(health?.services, forKey: .services)
        try container.encode(sending?.value ?? SendingState(budget: nil, gateway: nil), forKey: .sending)
    }

    private static func encode(
        _ users: CachedValue<UserStatistics>, to part: inout KeyedEncodingContainer<Keys>
    ) throws {
        try part.encode(users.value.total, forKey: .total)
        try part.encode(users.value.active, forKey: .active)
        try part.encode(users.value.suspended, forKey: .suspended)
        try part.encodeIfPresent(users.value.deleted, forKey: .deleted)
        try part.encodeIfPresent(users.value.activeToday, forKey: .activeToday)
        try part.encodeIfPresent(users.value.activeThisWeek, forKey: .activeThisWeek)
        try part.encodeIfPresent(users.value.activeThisMonth, forKey: .activeThisMonth)
        try part.encodeIfPresent(users.value.activeByDay, forKey: .activeByDay)
        try part.encode(users.value.new, forKey: .new)
        try part.encode(users.value.signIns, forKey: .signIns)
        try encodeAge(of: users, asOf: users.value.asOf, to: &part)
    }

    private func encode(
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
        try part.encodeIfPresent(value.hours, forKey: .byHour)
        try part.encodeIfPresent(countries, forKey: .byCountry)
        try part.encodeIfPresent(prefixes, forKey: .byPrefix)
        try part.encodeIfPresent(value.failures, forKey: .failures)
        try part.encode(value.medianSecondsToVerify, forKey: .medianSecondsToVerify)
        // Of this moment, if otp-service says; else as old as the other figures.
        let budget = sending?.value.budget
        try part.encode(budget?.outboxDepth ?? value.outboxDepth, forKey: .outboxDepth)
        try part.encode(budget?.outboxOldestSeconds ?? value.outboxOldestSeconds, forKey: .outboxOldestSeconds)
        try Self.encodeAge(of: messages, asOf: value.asOf, to: &part)
    }

    private static func encodeAge<Value>(
        of part: CachedValue<Value>, asOf: WireTime, to container: inout KeyedEncodingContainer<Keys>
    ) throws {
        try container.encode(asOf, forKey: .asOf)
        try container.encode(Freshness.seconds(part.age), forKey: .age)
        try container.encode(part.isStale, forKey: .stale)
    }
}
