import Caching
import HTTPServer

/// Puts the dashboard together from what both services say, or last said.
///
/// The parts are cached apart, so that one service's absence takes nothing from the other's figures.
struct ReadDashboard: Sendable {
    let userService: UpstreamService
    let otpService: UpstreamService
    let users: Cache<Int, UserStatistics>
    let messages: Cache<Int, MessageStatistics>
    let health: ReadHealth
    let sending: ReadSending
    let destinations: ReadDestinations

    /// The dashboard of the last `days` days; with `refresh`, nothing read before now.
    func callAsFunction(days: Int, refresh: Bool, trace: RequestTrace) async throws -> Dashboard {
        async let users = part(users, days, refresh, userService, trace)
        async let messages = part(messages, days, refresh, otpService, trace)
        async let health = health(refresh: refresh)
        async let sending = try? sending(refresh: refresh, trace: trace)
        async let board = try? destinations(refresh: refresh, trace: trace)
        return Dashboard(
            days: days, users: try await users, messages: try await messages, health: await health?.value,
            sending: await sending, destinations: await board?.value)
    }

    private func part<Value: Decodable & Sendable>(
        _ cache: Cache<Int, Value>, _ days: Int, _ refresh: Bool, _ service: UpstreamService, _ trace: RequestTrace
    ) async throws -> CachedValue<Value>? {
        do {
            return try await cache.value(for: days, of: service.name, refresh: refresh) {
                try await service.get(
                    "/internal/statistics", query: [("days", String(days))], as: Value.self, trace: trace)
            }
        } catch is UpstreamError {
            return nil
        }
    }
}
