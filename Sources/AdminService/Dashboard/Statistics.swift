/// What user-service says about its users: the answer of its `GET /internal/statistics`.
struct UserStatistics: Sendable, Decodable {
    let total: Int
    let active: Int
    let suspended: Int
    let new: [DayCount]
    let signIns: [DayCount]
    let asOf: WireTime

    enum CodingKeys: String, CodingKey {
        case total = "users_total"
        case active = "users_active"
        case suspended = "users_suspended"
        case new = "new_users"
        case signIns = "sign_ins"
        case asOf = "as_of"
    }
}

/// A figure of one day, UTC.
struct DayCount: Sendable, Codable {
    let day: String
    let count: Int
}

/// What otp-service says about its messages: the answer of its `GET /internal/statistics`.
struct MessageStatistics: Sendable, Decodable {
    struct Day: Sendable, Codable {
        let day: String
        let sent: Int
        let submitted: Int
        let delivered: Int
        let verified: Int
        let failed: Int
    }

    let days: [Day]
    let outboxDepth: Int
    let outboxOldestSeconds: Double?
    let asOf: WireTime

    enum CodingKeys: String, CodingKey {
        case days
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
