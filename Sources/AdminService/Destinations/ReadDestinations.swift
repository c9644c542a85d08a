import Caching
import HTTPServer
import Identity

/// Destinations with their states, as otp-service says or last said.
struct ReadDestinations: Sendable {
    let otpService: UpstreamService
    let cache: Cache<String, DestinationBoard>

    /// Throws `UpstreamError`.
    func callAsFunction(refresh: Bool, trace: RequestTrace) async throws -> CachedValue<DestinationBoard> {
        try await cache.value(for: "all", of: .otp, refresh: refresh) {
            try await otpService.get("/internal/destinations", as: DestinationBoard.self, trace: trace)
        }
    }
}
