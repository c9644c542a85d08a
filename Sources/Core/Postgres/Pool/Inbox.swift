import Foundation
import Synchronization

/// What tasks ask of the reactor, and the pipe that wakes it.
///
/// The reactor takes everything at once, so that what arrives during one turn is sent in one batch. Only the first
/// request after the reactor fell asleep pays for a system call.
final class Inbox: Sendable {
    enum Request: Sendable {
        case submit(Statement)
        case cancel(Statement)
        case checkout(Lease)
        case cancelCheckout(Lease)
        case release(Lease, isClean: Bool)
        case listen(Subscription)
        case unlisten(Subscription)
        case resolved
        case shutDown
    }

    private struct State {
        var requests: [Request] = []
        var isAsleep = false
        var isClosed = false
    }

    private let state = Mutex(State())
    let readEnd: Int32
    private let writeEnd: Int32

    init() throws(PostgresError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw PostgresError(.unavailable, "no file descriptor left") }
        readEnd = ends[0]
        writeEnd = ends[1]
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
    }

    deinit {
        Foundation.close(readEnd)
        Foundation.close(writeEnd)
    }

    /// False when the reactor has ended and nobody will answer.
    func post(_ request: Request) -> Bool {
        let (accepted, wake) = state.withLock { state -> (Bool, Bool) in
            if state.isClosed { return (false, false) }
            state.requests.append(request)
            defer { state.isAsleep = false }
            return (true, state.isAsleep)
        }
        if wake { self.wake() }
        return accepted
    }

    private func wake() {
        var byte: UInt8 = 1
        _ = write(writeEnd, &byte, 1)
    }

    /// Takes all requests. When there are none, notes that the reactor goes to sleep and must be woken.
    func take(_ requests: inout [Request]) {
        requests.removeAll(keepingCapacity: true)
        state.withLock { state in
            swap(&state.requests, &requests)
            state.isAsleep = requests.isEmpty
        }
    }

    /// Empties the pipe after a wake-up.
    func drain() {
        var bytes: (UInt64, UInt64) = (0, 0)
        while read(readEnd, &bytes, 16) > 0 {}
    }

    /// Accepts nothing more and hands out what is left.
    func close() -> [Request] {
        state.withLock { state in
            state.isClosed = true
            defer { state.requests = [] }
            return state.requests
        }
    }
}
