package import Foundation

/// Numbers of one day, hour, country, channel or block, as they are written: the name comes first, under its own member.
package struct StatisticsRow: Sendable, Hashable, Encodable {
    /// `day`, `hour`, `country`, `channel` or `prefix`.
    package let kind: String
    /// `2026-11-24`, `2026-11-24T10:00:00Z`, `IN`, `sms`, `+9198765`.
    package let name: String
    /// Of a block: where it is.
    package var country: String?
    /// What became of its messages.
    package var counts: MessageCounts

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Key.self)
        try members.encode(name, forKey: Key(kind))
        try members.encodeIfPresent(country, forKey: Key("country"))
        try members.encode(counts.sent, forKey: Key("sent"))
        // Blocks are kept without these two.
        if kind != "prefix" {
            try members.encode(counts.submitted, forKey: Key("submitted"))
            try members.encode(counts.times.median, forKey: Key("median_seconds_to_verify"))
        }
        try members.encode(counts.delivered, forKey: Key("delivered"))
        try members.encode(counts.verified, forKey: Key("verified"))
        try members.encode(counts.failed, forKey: Key("failed"))
        try members.encode(counts.conversion, forKey: Key("conversion"))
    }
}

/// How many messages failed for one reason.
package struct FailureCount: Sendable, Hashable, Encodable {
    /// One of ``StatisticsTally/reasons``.
    package let reason: String
    /// Messages.
    package let count: Int
}

/// What the console shows of this service.
package struct Statistics: Sendable, Encodable {
    /// UTC days, oldest first; days without messages are there with zeros.
    package var days: [StatisticsRow] = []
    /// The last 48 hours at most, oldest first.
    package var hours: [StatisticsRow] = []
    /// Most messages first, as all that follow.
    package var countries: [StatisticsRow] = []
    package var channels: [StatisticsRow] = []
    /// The fifty busiest blocks of numbers.
    package var prefixes: [StatisticsRow] = []
    package var failures: [FailureCount] = []
    /// All of it together.
    package var total = MessageCounts()
    /// Messages that wait now.
    package var outbox = OutboxDepth(count: 0, oldestSeconds: 0)
    /// When the database read all this.
    package var asOf = Date()

    enum CodingKeys: String, CodingKey {
        case days
        case hours = "by_hour"
        case countries = "by_country"
        case channels = "by_channel"
        case prefixes = "by_prefix"
        case failures
        case conversion
        case median = "median_seconds_to_verify"
        case outboxDepth = "outbox_depth"
        case outboxOldestSeconds = "outbox_oldest_seconds"
        case asOf = "as_of"
    }

    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(days, forKey: .days)
        try members.encode(hours, forKey: .hours)
        try members.encode(countries, forKey: .countries)
        try members.encode(channels, forKey: .channels)
        try members.encode(prefixes, forKey: .prefixes)
        try members.encode(failures, forKey: .failures)
        try members.encode(total.conversion, forKey: .conversion)
        try members.encode(total.times.median, forKey: .median)
        try members.encode(outbox.count, forKey: .outboxDepth)
        try members.encode(outbox.oldestSeconds, forKey: .outboxOldestSeconds)
        try members.encode(asOf, forKey: .asOf)
    }
}
