import Foundation
import Synchronization

/// A TCP relay on loopback between a client and a server, to put faults between them.
///
/// While it swallows, bytes vanish and new connections are accepted but led nowhere: a black hole.
package final class Relay: Sendable {
    private struct State {
        var isSwallowing = false
        var isStopped = false
        var open: Set<Int32> = []
        var cuts = 0
    }

    /// Between a forbidden word and the end of its connection: whoever comes again at once does not keep a machine busy.
    private static let patience: useconds_t = 100_000

    private let state = Mutex(State())
    private let listener: Int32
    private let forbidden: Data?

    /// How many connections were cut for what they said.
    package var cuts: Int { state.withLock { $0.cuts } }

    package var isSwallowing: Bool {
        get { state.withLock { $0.isSwallowing } }
        set { state.withLock { $0.isSwallowing = newValue } }
    }

    /// Throws when the port is taken.
    ///
    /// - Parameter forbidden: a client that says this is cut, and the server never hears it.
    package init(listenOn port: Int, target: Int, forbidding forbidden: String? = nil) throws {
        self.forbidden = forbidden.map { Data($0.utf8) }
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        let status = LoopbackAddress.with(port: port) { bind(listener, $0, $1) }
        guard status == 0, listen(listener, 64) == 0 else { throw TestClusterError("the relay has no port") }
        Thread.detachNewThread { [self] in
            while true {
                let client = accept(listener, nil, nil)
                if client < 0 { return }
                let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
                guard LoopbackAddress.with(port: target, { connect(server, $0, $1) }) == 0 else {
                    close(client)
                    close(server)
                    continue
                }
                state.withLock { state in _ = (state.open.insert(client), state.open.insert(server)) }
                Thread.detachNewThread { self.copy(client, server, forbidden: self.forbidden) }
                Thread.detachNewThread { self.copy(server, client, forbidden: nil) }
            }
        }
    }

    /// Cuts every connection and listens no more; once, for the descriptor may be somebody else's afterwards.
    package func stop() {
        let open = state.withLock { state -> Set<Int32>? in
            if state.isStopped { return nil }
            state.isStopped = true
            return state.open
        }
        guard let open else { return }
        for descriptor in open { shutdown(descriptor, Int32(SHUT_RDWR)) }
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func copy(_ from: Int32, _ to: Int32, forbidden: Data?) {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while !state.withLock({ $0.isStopped }) {
            let count = read(from, &buffer, buffer.count)
            if count <= 0 { break }
            if isSwallowing { continue }
            if let forbidden, Data(buffer[..<count]).range(of: forbidden) != nil {
                state.withLock { $0.cuts += 1 }
                usleep(Self.patience)
                break
            }
            // Without MSG_NOSIGNAL a peer that has gone ends the whole test process by SIGPIPE.
            if send(to, buffer, count, Int32(MSG_NOSIGNAL)) != count { break }
        }
        shutdown(from, Int32(SHUT_RDWR))
        shutdown(to, Int32(SHUT_RDWR))
    }
}

/// An address of this machine for the socket calls.
enum LoopbackAddress {
    static func with(port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(clamping: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
