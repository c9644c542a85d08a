import Foundation

/// Adds what was counted long ago and what is read from the rows into the numbers of one answer.
struct StatisticsSums {
    /// Midnight of the first day, UTC.
    let first: Date
    let now: Date
    private(set) var days: [Date: MessageCounts] = [:]
    private(set) var hours: [Date: MessageCounts] = [:]
    private(set) var countries: [String: MessageCounts] = [:]
    private(set) var channels: [String: MessageCounts] = [:]
    private(set) var prefixes: [String: (country: String, counts: MessageCounts)] = [:]
    private(set) var failures: [String: Int] = [:]

    init(first: Date, now: Date) {
        self.first = first
        self.now = now
    }

    private var firstHour: Date {
        max(first, Self.start(of: 3600, now).addingTimeInterval(-47 * 3600))
    }

    /// The beginning of the span of so many seconds that a moment lies in, UTC.
    static func start(of seconds: Double, _ moment: Date) -> Date {
        Date(timeIntervalSince1970: (moment.timeIntervalSince1970 / seconds).rounded(.down) * seconds)
    }

    mutating func add(day: Date, _ counts: MessageCounts) { days[day, default: MessageCounts()].add(counts) }

    mutating func add(hour: Date, _ counts: MessageCounts) {
        if hour >= firstHour { hours[hour, default: MessageCounts()].add(counts) }
    }

    mutating func add(country: String, _ counts: MessageCounts) {
        countries[country, default: MessageCounts()].add(counts)
    }

    mutating func add(channel: String, _ counts: MessageCounts) {
        channels[channel, default: MessageCounts()].add(counts)
    }

    mutating func add(prefix: String, country: String, _ counts: MessageCounts) {
        prefixes[prefix, default: (country, MessageCounts())].counts.add(counts)
    }

    mutating func add(reason: String, _ count: Int) { failures[reason, default: 0] += count }

    /// Adds what lies within one hour.
    mutating func add(_ tally: StatisticsTally, at moment: Date) {
        for (key, counts) in tally.counts {
            add(day: Self.start(of: 86_400, moment), counts)
            add(hour: Self.start(of: 3600, moment), counts)
            add(country: key.country, counts)
            add(channel: key.channel.rawValue, counts)
        }
        for (reason, count) in tally.failures { add(reason: reason, count) }
        for (prefix, block) in tally.prefixes {
            // As much as is kept of blocks.
            var counts = block.counts
            counts.submitted = 0
            counts.times = VerifyTimes()
            add(prefix: prefix, country: block.country, counts)
        }
    }

    /// The whole answer.
    func statistics(outbox: OutboxDepth) -> Statistics {
        var result = Statistics()
        result.days = Self.steps(from: first, to: now, by: 86_400).map { day in
            StatisticsRow(kind: "day", name: String(Self.text(day).prefix(10)), counts: days[day] ?? MessageCounts())
        }
        result.hours = Self.steps(from: firstHour, to: now, by: 3600).map { hour in
            StatisticsRow(kind: "hour", name: Self.text(hour), counts: hours[hour] ?? MessageCounts())
        }
        result.countries = Self.rows("country", countries)
        result.channels = Self.rows("channel", channels)
        result.prefixes = prefixes.map {
            StatisticsRow(kind: "prefix", name: $0.key, country: $0.value.country, counts: $0.value.counts)
        }.sorted(by: Self.busier).prefix(50).map { $0 }
        result.failures = failures.map { FailureCount(reason: $0.key, count: $0.value) }
            .sorted { ($0.count, $1.reason) > ($1.count, $0.reason) }
        for row in result.days { result.total.add(row.counts) }
        result.outbox = outbox
        result.asOf = now
        return result
    }

    private static func rows(_ kind: String, _ counts: [String: MessageCounts]) -> [StatisticsRow] {
        counts.map { StatisticsRow(kind: kind, name: $0.key, counts: $0.value) }.sorted(by: busier)
    }

    private static func busier(_ left: StatisticsRow, _ right: StatisticsRow) -> Bool {
        (left.counts.sent, right.name) > (right.counts.sent, left.name)
    }

    private static func steps(from first: Date, to last: Date, by seconds: Double) -> [Date] {
        first > last ? [] : Array(stride(from: first, through: last, by: seconds))
    }

    private static func text(_ date: Date) -> String { date.formatted(Date.ISO8601FormatStyle()) }
}
