import Caching
import HTTPServer
import Identity

/// What an operator asks of the list of messages.
struct MessageQuery: Sendable, Hashable {
    static let limits = 1...200
    static let longestCursor = 128

    /// Only those to this phone.
    var phone: PhoneNumber?
    var cursor: String?
    var limit = 50

    init() {}

    /// Reads the parameters. Throws `invalid-request`.
    init(_ fields: QueryFields, defaultRegion: String?) throws(Problem) {
        phone = try fields.parsed("phone", "a whole phone number, like +919876543210") { text in
            try? PhoneNumber(parsing: text, defaultRegion: defaultRegion)
        }
        cursor = try fields.parsed("cursor", "a next_cursor of an earlier answer") { text in
            text.utf8.count <= Self.longestCursor ? text : nil
        }
        limit = try fields.integer("limit", default: limit, in: Self.limits)
    }

    /// The same for otp-service.
    var fields: [(String, String)] {
        var fields = [("limit", String(limit))]
        if let phone { fields.append(("phone", phone.e164)) }
        if let cursor { fields.append(("cursor", cursor)) }
        return fields
    }
}

/// Messages as otp-service said within the last second: they change with every delivery.
struct ReadMessages: Sendable {
    let otpService: UpstreamService
    let cache: Cache<MessageQuery, MessagePage>

    static func makeCache(policy: CachePolicy) -> Cache<MessageQuery, MessagePage> {
        Cache(name: "messages", policy: policy, cost: { _, page in 2048 + page.messages.count * 640 })
    }

    /// A page. Throws `UpstreamError`, `CancellationError`.
    func callAsFunction(
        _ query: MessageQuery, refresh: Bool, trace: RequestTrace
    ) async throws -> CachedValue<MessagePage> {
        try await cache.value(for: query, of: .otp, refresh: refresh) {
            try await otpService.get("/internal/challenges", query: query.fields, as: MessagePage.self, trace: trace)
        }
    }
}
