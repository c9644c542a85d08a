/// What otp-service says about its messages: the answer of its `GET /internal/statistics`.
///
/// Members that a version before this one did not have are optional.
struct MessageStatistics: Sendable, Decodable {
    struct Day: Sendable, Codable {
        let day: String
        let sent: Int
        let submitted: Int
        let delivered: Int
        let verified: Int
        let failed: Int
    }

    struct Hour: Sendable, Codable {
        let hour: String
        let sent: Int
        let delivered: Int
        let verified: Int
        let failed: Int
    }

    /// A country or a channel.
    struct Country: Sendable, Codable {
        let country: String
        let sent: Int
        let delivered: Int
        let verified: Int
        let failed: Int
        let conversion: Double?
        /// What keeps codes from it, if anything does; of another answer than the rest.
        var state: String?
    }

    /// A block of numbers, by its first digits.
    struct Prefix: Sendable, Codable {
        let prefix: String
        let country: String?
        let sent: Int
        let delivered: Int
        let verified: Int
        let failed: Int
        let conversion: Double?
        var state: String?
    }

    struct Failure: Sendable, Codable {
        let reason: String
        let count: Int
    }

    let days: [Day]
    /// The last 48 hours at most.
    let hours: [Hour]?
    /// Most messages first, as the next.
    let countries: [Country]?
    let prefixes: [Prefix]?
    let failures: [Failure]?
    /// Seconds from the sending to the right answer.
    let medianSecondsToVerify: Double?
    let outboxDepth: Int
    let outboxOldestSeconds: Double?
    let asOf: WireTime

    enum CodingKeys: String, CodingKey {
        case days, failures
        case hours = "by_hour"
        case countries = "by_country"
        case prefixes = "by_prefix"
        case medianSecondsToVerify = "median_seconds_to_verify"
        case outboxDepth = "outbox_depth"
        case outboxOldestSeconds = "outbox_oldest_seconds"
        case asOf = "as_of"
    }

    /// A figure over all days; a sum beyond the range of integers is its end.
    func total(_ figure: KeyPath<Day, Int>) -> Int {
        days.reduce(0) { sum, day in
            let (result, overflow) = sum.addingReportingOverflow(day[keyPath: figure])
            return overflow ? .max : result
        }
    }

    /// Verified codes per code sent; nil if none was sent.
    var conversion: Double? {
        let sent = total(\.sent)
        return sent > 0 ? Double(total(\.verified)) / Double(sent) : nil
    }
}
