internal import CLibCurl
internal import Synchronization

/// The identity of one transfer, known to the sending task and to the loop.
final class Ticket: Sendable {
    let id: UInt64
    /// Set before the loop is told, so that a cancellation that overtakes its submission is seen.
    let isCancelled = Atomic<Bool>(false)

    init(id: UInt64) {
        self.id = id
    }
}

/// A request on its way to the loop's thread, with the task that waits for it.
struct Submission: Sendable {
    let ticket: Ticket
    let request: PreparedRequest
    let deadline: ContinuousClock.Instant
    let continuation: CheckedContinuation<Result<HTTPClientResponse, HTTPClientError>, Never>
}

/// What other threads tell the loop.
enum Command: Sendable {
    case start(Submission)
    case cancel(UInt64)
    case drain
    case abort
}

/// The lock-protected mailbox between tasks and the loop's thread, which also owns libcurl's multi handle.
final class TransferInbox: Sendable {
    /// Only `curl_multi_wakeup` is called on it from other threads, which libcurl allows; the rest is the loop's.
    struct MultiHandle: @unchecked Sendable {
        let pointer: UnsafeMutableRawPointer
    }

    private struct State {
        var multi: MultiHandle?
        var commands: [Command] = []
        var isOpen: Bool
        var isFinished: Bool
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    let multi: MultiHandle?
    private let state: Mutex<State>

    init() {
        let multi = curl_multi_init().map(MultiHandle.init)
        self.multi = multi
        state = Mutex(State(multi: multi, isOpen: multi != nil, isFinished: multi == nil))
    }

    /// Queues a command and wakes the thread; false when the client is shut down, then it was not queued.
    @discardableResult
    func post(_ command: Command) -> Bool {
        state.withLock { state in
            guard let multi = state.multi else { return false }
            switch command {
            case .start: if !state.isOpen { return false }
            case .drain, .abort: state.isOpen = false
            case .cancel: break
            }
            // A mailbox that is not empty has woken the thread already.
            if state.commands.isEmpty { curl_multi_wakeup(multi.pointer) }
            state.commands.append(command)
            return true
        }
    }

    /// All commands since the last call.
    func take() -> [Command] {
        state.withLock { state in
            guard !state.commands.isEmpty else { return [] }
            var taken: [Command] = []
            swap(&taken, &state.commands)
            return taken
        }
    }

    /// Ends the mailbox when nothing is left in it; nobody touches the multi handle afterwards.
    func close() -> Bool {
        let waiters: [CheckedContinuation<Void, Never>]? = state.withLock { state in
            guard state.commands.isEmpty else { return nil }
            state.multi = nil
            state.isOpen = false
            state.isFinished = true
            defer { state.waiters = [] }
            return state.waiters
        }
        guard let waiters else { return false }
        for waiter in waiters { waiter.resume() }
        return true
    }

    /// Returns when the thread has ended its work.
    func finished() async {
        await withCheckedContinuation { continuation in
            let isFinished = state.withLock { state in
                if !state.isFinished { state.waiters.append(continuation) }
                return state.isFinished
            }
            if isFinished { continuation.resume() }
        }
    }
}
