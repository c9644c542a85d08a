import Caching
import HTTPServer

/// The day's budget of messages: the answer of otp-service's `GET /internal/budget`, and our own.
struct Budget: Sendable, Codable {
    /// The day that it counts, UTC.
    let day: String
    /// Messages of the day.
    let used: Int
    /// Nil: none is set.
    let limit: Int?
    /// Whether an operator stopped all sending.
    let paused: Bool
    let reason: String?
    /// Messages that wait at this moment; nil of a version that does not say.
    let outboxDepth: Int?
    /// How long the oldest of them has waited.
    let outboxOldestSeconds: Double?

    enum CodingKeys: String, CodingKey {
        case day, used, limit, paused, reason
        case outboxDepth = "outbox_depth"
        case outboxOldestSeconds = "outbox_oldest_seconds"
    }
}

/// How the gateway is: the answer of otp-service's `GET /internal/gateway`, and our own.
struct GatewayState: Sendable, Codable {
    /// `closed` lets messages through; `unreachable` and `open` do not.
    let state: String
    let since: WireTime?
    let reason: String?
    let code: String?
    /// What an operator can do, in a sentence.
    let action: String?
    let lastSuccessAt: WireTime?

    enum CodingKeys: String, CodingKey {
        case state, since, reason, code, action
        case lastSuccessAt = "last_success_at"
    }
}

/// Whether codes go out, and how many may still.
struct SendingState: Sendable, Encodable {
    let budget: Budget?
    let gateway: GatewayState?
    /// What otp-service did not say.
    let missing: [String]

    init(budget: Budget?, gateway: GatewayState?) {
        self.budget = budget
        self.gateway = gateway
        missing = (budget == nil ? ["budget"] : []) + (gateway == nil ? ["gateway"] : [])
    }
}

/// Asks otp-service how sending is. Remembered for a few seconds.
struct ReadSending: Sendable {
    let otpService: UpstreamService
    let cache: Cache<String, SendingState>

    /// What it does not say is left out. Throws `CancellationError`.
    func callAsFunction(refresh: Bool, trace: RequestTrace) async throws -> CachedValue<SendingState> {
        try await cache.value(for: "all", refresh: refresh) {
            async let budget = optional("/internal/budget", Budget.self, trace)
            async let gateway = optional("/internal/gateway", GatewayState.self, trace)
            // Also that it says nothing is remembered, or each dashboard would wait for it.
            return SendingState(budget: await budget, gateway: await gateway)
        }
    }

    private func optional<Answer: Decodable & Sendable>(
        _ path: String, _ type: Answer.Type, _ trace: RequestTrace
    ) async -> Answer? {
        try? await otpService.get(path, as: type, trace: trace)
    }
}
