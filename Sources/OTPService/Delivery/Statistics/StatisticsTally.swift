/// Messages that have the same fate, as `count_messages` groups them.
struct MessageGroup: Sendable, Hashable {
    /// The first seven digits of the number, with the plus.
    let prefix: String
    /// One whole number of the group, which tells its country.
    let sample: String
    let channel: Channel
    let state: MessageState
    /// Whether the gateway has, or may have, taken them.
    let taken: Bool
    /// The first word of what was noted, with `failed` only.
    let reason: String?
    /// The step of ``VerifyTimes``; nil if their challenges were not verified with these messages.
    let bucket: Int?
    let count: Int
}

/// What became of messages.
package struct MessageCounts: Sendable, Hashable {
    /// Messages that were accepted for sending, resends included.
    package var sent = 0
    /// Of those, how many the gateway took; the delivered ones too.
    package var submitted = 0
    /// Of those, how many arrived, as far as reports tell.
    package var delivered = 0
    /// Challenges that were answered rightly, each counted with its newest message.
    package var verified = 0
    /// Messages that were refused, died waiting, or were reported as not delivered.
    package var failed = 0
    /// How long verifying took.
    package var times = VerifyTimes()

    /// Verified challenges per message, to a thousandth; nil if nothing was sent.
    package var conversion: Double? {
        sent > 0 ? (Double(verified) / Double(sent) * 1000).rounded() / 1000 : nil
    }

    /// Adds what became of others.
    package mutating func add(_ other: MessageCounts) {
        sent += other.sent
        submitted += other.submitted
        delivered += other.delivered
        verified += other.verified
        failed += other.failed
        times.add(other.times)
    }

    mutating func add(_ group: MessageGroup) {
        sent += group.count
        if group.taken { submitted += group.count }
        if group.state == .delivered { delivered += group.count }
        if group.state == .failed { failed += group.count }
        if let bucket = group.bucket {
            verified += group.count
            times.add(group.count, bucket: bucket)
        }
    }
}

/// Groups of a span, added up by country and channel, by reason and by block of numbers.
struct StatisticsTally {
    struct Key: Hashable {
        /// Two letters; empty where the number belongs to no country.
        let country: String
        let channel: Channel
    }

    /// Blocks of numbers that are kept of each slice; the rest is in the numbers of their country.
    static let keptPrefixes = 200

    private(set) var counts: [Key: MessageCounts] = [:]
    private(set) var failures: [String: Int] = [:]
    private(set) var prefixes: [String: (country: String, counts: MessageCounts)] = [:]

    init(_ groups: [MessageGroup]) {
        for group in groups {
            let country = BlockCountries.shared.country(of: group.sample)
            counts[Key(country: country, channel: group.channel), default: MessageCounts()].add(group)
            prefixes[group.prefix, default: (country, MessageCounts())].counts.add(group)
            if group.state == .failed { failures[Self.failure(group.reason ?? ""), default: 0] += group.count }
        }
    }

    /// The busiest blocks.
    var busiestPrefixes: [(prefix: String, country: String, counts: MessageCounts)] {
        prefixes.map { ($0.key, $0.value.country, $0.value.counts) }
            .sorted { ($0.2.sent, $1.0) > ($1.2.sent, $0.0) }.prefix(Self.keptPrefixes).map { $0 }
    }

    /// All that a reason may be: what is noted of a message begins with such a word, or with words of the connection to the
    /// gateway, which count as `gateway`.
    static let reasons: Set<String> = Set(
        GatewayRefusal.Kind.allCases.map(\.rawValue) + UndeliveredReason.allCases.map(\.rawValue)
            + ["expired", "key", "gateway"])

    private static func failure(_ word: String) -> String { reasons.contains(word) ? word : "gateway" }
}
