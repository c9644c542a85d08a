package import HTTPServer
package import Postgres
import Synchronization

/// What the gate says of a request.
package enum RequestAdmission: Sendable, Hashable {
    /// It may pass. `charge` units, which may be 0, are to be charged to its network together with what it does;
    /// `remaining` is what the network has left, as far as is known.
    case admitted(charge: Int, remaining: Int?)
    /// The network has used up its allowance; microseconds.
    case refused(wait: Int)
}

/// Counts all requests of a network to `/v1/otp/*` (`OTP_REQUESTS_PER_NETWORK`), exact over all instances.
///
/// Most requests are let through by units that the process has taken before; a network's first send charges its own in the
/// statement that it runs anyway. Requests of one network that find no units share one statement.
package final class RequestGate: Sendable {
    fileprivate typealias Waiter = UnsafeContinuation<Result<RequestAdmission, PostgresError>, Never>

    fileprivate struct State {
        var networks: RecentTable<ClientAddress, RequestAllowance>
        /// Requests that wait for the units that another one asks for.
        var waiting: [ClientAddress: [Waiter]] = [:]
    }

    fileprivate enum Next {
        case answer(RequestAdmission)
        case lead(spare: Int)
        case follow
    }

    private let store: AllowanceStore
    private let limit: RateLimit
    private let state: Mutex<State>

    /// What a send charges at once: itself, an answer and a look at its state.
    private var bundle: Int { limit.count >= 64 ? 3 : 1 }

    /// A gate that keeps the limits of the store.
    package init(store: AllowanceStore, capacity: Int = 32_768) {
        self.store = store
        limit = store.limits.requests
        state = Mutex(State(networks: RecentTable(capacity: capacity)))
    }

    /// Lets a request pass or not. Throws `PostgresError`.
    ///
    /// - Parameter charges: the request runs a statement that can charge its units itself, and tells ``charged(_:_:)``.
    package func admit(
        _ network: ClientAddress, charges: Bool = false, now: ContinuousClock.Instant = .now
    ) async throws(PostgresError) -> RequestAdmission {
        let next = state.withLock { $0.next(network, limit: limit, charges: charges ? bundle : nil, now: now) }
        switch next {
        case .answer(let admission): return admission
        case .follow: return try await follow(network)
        case .lead(let spare): return try await lead(network, spare: spare, now: now)
        }
    }

    /// A send of this network has charged `units` units, one of them its own.
    package func charged(_ network: ClientAddress, _ units: Int, now: ContinuousClock.Instant = .now) {
        guard units > 1 else { return }
        state.withLock { state in
            var allowance = state.networks[network] ?? RequestAllowance()
            allowance.granted(units - 1, remaining: allowance.remaining, now: now)
            state.networks[network] = allowance
        }
    }

    private func lead(
        _ network: ClientAddress, spare: Int, now: ContinuousClock.Instant
    ) async throws(PostgresError) -> RequestAdmission {
        let answer: Result<RequestLease, PostgresError>
        do {
            answer = .success(try await store.lease(network, needed: 1, spare: spare))
        } catch {
            answer = .failure(error)
        }
        let (own, waiters) = state.withLock { $0.settle(network, answer, now: now) }
        // Those who waited ask again: most are let through by what is spare, one of the others leads.
        for waiter in waiters {
            switch own {
            case .success(.admitted): waiter.resume(returning: .success(.admitted(charge: 0, remaining: nil)))
            case .success(.refused), .failure: waiter.resume(returning: own)
            }
        }
        return try own.get()
    }

    /// Waits for the statement of another request, then tries again.
    private func follow(_ network: ClientAddress) async throws(PostgresError) -> RequestAdmission {
        let result = await withUnsafeContinuation { (continuation: Waiter) in
            let isLate = state.withLock { state in
                guard state.waiting[network] != nil else { return true }
                state.waiting[network]?.append(continuation)
                return false
            }
            if isLate { continuation.resume(returning: .success(.admitted(charge: 0, remaining: nil))) }
        }
        if case .success(.admitted) = result { return try await admit(network) }
        return try result.get()
    }
}

extension RequestGate.State {
    fileprivate mutating func next(
        _ network: ClientAddress, limit: RateLimit, charges: Int?, now: ContinuousClock.Instant
    ) -> RequestGate.Next {
        if waiting[network] != nil { return .follow }
        guard var allowance = networks[network] else {
            networks[network] = RequestAllowance()
            if let charges { return .answer(.admitted(charge: charges, remaining: nil)) }
            waiting[network] = []
            return .lead(spare: 0)
        }
        let step = allowance.take(limit: limit, now: now)
        networks[network] = allowance
        switch step {
        case .admitted: return .answer(.admitted(charge: 0, remaining: allowance.remaining + allowance.units))
        case .refused(let wait): return .answer(.refused(wait: wait))
        case .ask(let spare):
            waiting[network] = []
            return .lead(spare: spare)
        }
    }

    fileprivate mutating func settle(
        _ network: ClientAddress, _ answer: Result<RequestLease, PostgresError>, now: ContinuousClock.Instant
    ) -> (Result<RequestAdmission, PostgresError>, [RequestGate.Waiter]) {
        let waiters = waiting.removeValue(forKey: network) ?? []
        guard case .success(let lease) = answer else {
            return (answer.map { _ in .admitted(charge: 0, remaining: nil) }, waiters)
        }
        var allowance = networks[network] ?? RequestAllowance()
        defer { networks[network] = allowance }
        guard lease.granted > 0 else {
            allowance.refused(wait: lease.wait, now: now)
            return (.success(.refused(wait: lease.wait)), waiters)
        }
        allowance.granted(lease.granted - 1, remaining: lease.remaining, now: now)
        return (.success(.admitted(charge: 0, remaining: lease.remaining + allowance.units)), waiters)
    }
}
