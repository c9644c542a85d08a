import Caching
import HTTPClient
import Identity

/// How each service is.
struct ServicesHealth: Sendable, Encodable {
    enum State: String, Sendable, Encodable {
        case ready
        /// It answers, and says that it cannot work.
        case unready
        /// No answer.
        case away
    }

    let services: [Item]

    struct Item: Sendable, Encodable {
        let name: String
        let state: State
        /// How long the answer took, in milliseconds.
        let milliseconds: Int?

        /// Whether people notice: a second, of what is usually milliseconds.
        var isSlow: Bool { state == .ready && (milliseconds ?? 0) >= 1000 }
    }
}

/// Asks the services how they are: `GET /health/ready`.
struct ReadHealth: Sendable {
    let client: HTTPClient
    /// Base URLs without a slash at their end.
    let userServiceURL: String
    let otpServiceURL: String
    let cache: Cache<String, ServicesHealth>

    /// As long as for figures, or a service whose figures are there would be called away.
    static let timeout = Duration.milliseconds(2000)

    /// Remembered for a few seconds; never throws, since no answer is an answer.
    func callAsFunction(refresh: Bool) async -> CachedValue<ServicesHealth>? {
        try? await cache.value(for: "all", refresh: refresh) {
            async let users = item(.user, userServiceURL)
            async let otp = item(.otp, otpServiceURL)
            // Whoever reads this reached admin-service and its database.
            let own = ServicesHealth.Item(name: ServiceName.admin.rawValue, state: .ready, milliseconds: 0)
            return ServicesHealth(services: await [users, otp, own])
        }
    }

    private func item(_ name: ServiceName, _ url: String) async -> ServicesHealth.Item {
        let started = ContinuousClock.now
        let request = HTTPClientRequest(url: url + "/health/ready", headers: [("Accept", "application/json")])
        guard let response = try? await client.send(request, timeout: Self.timeout) else {
            return ServicesHealth.Item(name: name.rawValue, state: .away, milliseconds: nil)
        }
        let took = (ContinuousClock.now - started) / .milliseconds(1)
        return ServicesHealth.Item(
            name: name.rawValue, state: response.status == 200 ? .ready : .unready, milliseconds: Int(took))
    }
}
