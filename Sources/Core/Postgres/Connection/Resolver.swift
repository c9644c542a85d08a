import Foundation
import Synchronization

/// Turns the host name of the server into addresses on a thread of its own, because libpq would block in
/// `getaddrinfo` and with it every other connection of the reactor.
///
/// At most one look-up is under way; a result is used for five seconds, so that a failover in DNS is seen soon.
final class Resolver: Sendable {
    enum State {
        /// libpq needs no look-up: a socket directory, a literal address, or no host at all.
        case notNeeded
        case resolving
        case resolved([String])
        case failed
    }

    private struct Memory {
        var isRunning = false
        var addresses: [String]?
        var at: ContinuousClock.Instant?
    }

    private static let freshness = Duration.seconds(5)

    private let host: String?
    private let wake: @Sendable () -> Void
    private let memory = Mutex(Memory())

    init(configuration: PostgresConfiguration, wake: @escaping @Sendable () -> Void) {
        let host = configuration.keyword("host") ?? ""
        let literal = host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@") || Resolver.isAddress(host)
        // A list of hosts is libpq's own failover: it is left to libpq.
        let needed = !literal && !host.contains(",") && configuration.keyword("hostaddr") == nil
        self.host = needed ? host : nil
        self.wake = wake
    }

    /// What is known now; starts a look-up when nothing fresh is.
    func state(at now: ContinuousClock.Instant) -> State {
        guard let host else { return .notNeeded }
        let (state, start) = memory.withLock { memory -> (State, Bool) in
            if let at = memory.at, now - at < Resolver.freshness {
                return (memory.addresses.map(State.resolved) ?? .failed, false)
            }
            if memory.isRunning { return (.resolving, false) }
            memory.isRunning = true
            return (.resolving, true)
        }
        if start { Thread.detachNewThread { self.lookUp(host) } }
        return state
    }

    private func lookUp(_ host: String) {
        let addresses = Resolver.addresses(of: host)
        memory.withLock { memory in
            memory.isRunning = false
            memory.addresses = addresses
            // A failure is remembered for less time than a success, so that the next attempt asks again.
            memory.at = addresses == nil ? .now - .milliseconds(4500) : .now
        }
        wake()
    }

    private static func isAddress(_ host: String) -> Bool {
        var v4 = in_addr()
        var v6 = in6_addr()
        return inet_pton(AF_INET, host, &v4) == 1 || inet_pton(AF_INET6, host, &v6) == 1
    }

    private static func addresses(of host: String) -> [String]? {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        #if os(Linux)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return nil }
        defer { freeaddrinfo(list) }
        var found: [String] = []
        var next = list
        while let info = next {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            if getnameinfo(
                info.pointee.ai_addr, info.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
                == 0
            {
                let address = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
                if !found.contains(address) { found.append(address) }
            }
            next = info.pointee.ai_next
        }
        return found.isEmpty ? nil : found
    }
}
