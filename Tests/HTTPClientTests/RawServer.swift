import Foundation
import Synchronization

/// One accepted connection of a ``RawServer``, with blocking calls on a thread of its own.
struct RawConnection: Sendable {
    let descriptor: Int32

    /// Reads until the blank line after a header and as much body as `Content-Length` says; nil at the end.
    func readRequest() -> String? {
        var text = ""
        while true {
            if let end = text.range(of: "\r\n\r\n") {
                let length =
                    text[..<end.lowerBound].split(separator: "\r\n")
                    .first { $0.lowercased().hasPrefix("content-length:") }
                    .flatMap { Int($0.split(separator: ":")[1].trimmingCharacters(in: .whitespaces)) } ?? 0
                if text[end.upperBound...].utf8.count >= length { return text }
            }
            var buffer = [UInt8](repeating: 0, count: 65536)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count <= 0 { return nil }
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
    }

    func write(_ text: String) {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, 0x4000) }
            if count <= 0 { return }
            sent += count
        }
    }

    /// Blocks until the peer has closed.
    func waitForEnd() {
        var byte: UInt8 = 0
        while recv(descriptor, &byte, 1, 0) > 0 {}
    }

    /// Makes the close a reset instead of an orderly end.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }
}

/// A server that does exactly what its closure says, malformed answers included.
final class RawServer: Sendable {
    let port: UInt16
    private let listener: Int32
    private let accepted = Mutex<Int>(0)

    var connections: Int { accepted.withLock { $0 } }
    var url: String { "http://127.0.0.1:\(port)/" }

    init(_ handle: @escaping @Sendable (_ connection: RawConnection, _ index: Int) -> Void) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, size) == 0 && getsockname(listener, address, &size) == 0
            }
        }
        guard bound, listen(listener, 512) == 0 else { throw POSIXError(.EADDRINUSE) }
        port = UInt16(bigEndian: address.sin_port)
        Thread { [self] in
            while true {
                let descriptor = accept(listener, nil, nil)
                if descriptor < 0 { return }
                let index = accepted.withLock { count in
                    defer { count += 1 }
                    return count
                }
                Thread {
                    handle(RawConnection(descriptor: descriptor), index)
                    close(descriptor)
                }.start()
            }
        }.start()
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// A server that gives every request of every connection the same answer.
    static func answering(_ answer: String) throws -> RawServer {
        try RawServer { connection, _ in
            while connection.readRequest() != nil { connection.write(answer) }
        }
    }

    /// A port on which nobody listens.
    static func deadPort() throws -> UInt16 {
        let server = try RawServer { _, _ in }
        server.stop()
        return server.port
    }
}
