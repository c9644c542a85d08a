import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Where log lines go: they are put into a buffer, and written from there in the background.
///
/// A terminal that stands still or a full pipe holds up nobody. When four megabytes are waiting, further lines are dropped and their
/// number is told later. Lines of the last milliseconds are lost if the process is killed, but not when it ends by itself.
package final class LogSink: Sendable {
    /// Standard error, so that the output of commands stays clean.
    package static let standard = LogSink(descriptor: STDERR_FILENO)

    private struct State {
        var pending: [UInt8] = []
        var isWriting = false
        var dropped = 0
    }

    private static let capacity = 4 << 20
    private let descriptor: Int32
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "log")

    package init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Appends a line, which ends with a line feed.
    package func write(_ line: [UInt8]) {
        let mustStart = state.withLock { state in
            guard state.pending.count + line.count <= Self.capacity else {
                state.dropped += 1
                return false
            }
            state.pending.append(contentsOf: line)
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if mustStart { queue.async { self.writeUntilEmpty() } }
    }

    /// Waits until everything is written; for the end of the process.
    package func flush() {
        queue.sync { writePending() }
    }

    private func writeUntilEmpty() {
        while true {
            writePending()
            // Under load the next lines are there in a millisecond: one write for all of them.
            usleep(1000)
            let isDone = state.withLock { state in
                if state.pending.isEmpty { state.isWriting = false }
                return state.pending.isEmpty
            }
            if isDone { return }
        }
    }

    private func writePending() {
        var (bytes, dropped) = state.withLock { state in
            let taken = (state.pending, state.dropped)
            state.pending = []
            state.dropped = 0
            return taken
        }
        if dropped > 0 {
            bytes.append(contentsOf: "{\"level\":\"warning\",\"message\":\"\(dropped) log lines were dropped\"}\n".utf8)
        }
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = posixWrite(UnsafeRawBufferPointer(rebasing: rest))
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if errno == EAGAIN {
                    // Someone made the descriptor non-blocking, and its pipe is full.
                    usleep(5000)
                } else if errno != EINTR {
                    return
                }
            }
        }
    }

    private func posixWrite(_ buffer: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, buffer.baseAddress, buffer.count)
        #else
            Darwin.write(descriptor, buffer.baseAddress, buffer.count)
        #endif
    }
}
