import Caching
import Identity

extension Cache {
    /// The value of the key, filled from another service. Throws `UpstreamError`, also when the request has no time left to wait
    /// for a fill that goes on, and `CancellationError`.
    func value(
        for key: Key, of service: ServiceName, refresh: Bool, fill: @escaping @Sendable () async throws -> Value
    ) async throws -> CachedValue<Value> {
        do {
            return try await value(for: key, refresh: refresh, fill: fill)
        } catch is FillTimeout {
            throw UpstreamError.unavailable(service)
        }
    }
}
