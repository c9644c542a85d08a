/// What user-service says about its users: the answer of its `GET /internal/statistics`.
struct UserStatistics: Sendable, Decodable {
    let total: Int
    let active: Int
    let suspended: Int
    let deleted: Int?
    let new: [DayCount]
    let signIns: [DayCount]
    /// Users who signed in or refreshed, by day.
    let activeByDay: [DayCount]?
    /// The same today, since Monday, and since the first of the month.
    let activeToday: Int?
    let activeThisWeek: Int?
    let activeThisMonth: Int?
    let asOf: WireTime

    enum CodingKeys: String, CodingKey {
        case deleted = "users_deleted"
        case activeByDay = "active_users"
        case activeToday = "active_today"
        case activeThisWeek = "active_this_week"
        case activeThisMonth = "active_this_month"
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
