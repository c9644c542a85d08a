import Dispatch

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One request as it is written, which no HTTP client sends: libcurl takes `..` out of paths (RFC 3986 §5.2.4) and has no way to
/// say the whole URI on the request line.
package struct RawExchange: Sendable {
    /// Zero if there was no answer.
    package let status: Int
    package let text: String

    /// Sends the lines of a head and a body to a port of this machine and returns the answer. Throws if there is none in time.
    package static func send(_ head: [String], body: String = "", port: Int) async throws -> RawExchange {
        let length = body.isEmpty ? [] : ["Content-Length: \(body.utf8.count)"]
        let text = (head + length + ["Connection: close", "", body]).joined(separator: "\r\n")
        let received: [UInt8] = try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try exchange(Array(text.utf8), port) })
            }
        }
        let answer = String(decoding: received, as: UTF8.self)
        let status = answer.split(separator: " ", maxSplits: 2).dropFirst().first.flatMap { Int($0.prefix(3)) }
        return RawExchange(status: status ?? 0, text: answer)
    }

    private static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Int {
        bytes.withUnsafeBytes {
            #if canImport(Glibc)
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            #else
                Darwin.send(descriptor, $0.baseAddress, $0.count, 0)
            #endif
        }
    }

    private static func exchange(_ bytes: [UInt8], _ port: Int) throws -> [UInt8] {
        #if canImport(Glibc)
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        defer { _ = close(descriptor) }
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw ServiceTestError("connect: errno \(errno)") }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = write(rest, to: descriptor)
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            // A server that has said enough may close while there is more to send.
            if count == 0 || (count < 0 && errno == ECONNRESET) { return received }
            guard count > 0 else { throw ServiceTestError("nothing came in time") }
            received += buffer.prefix(count)
        }
    }
}
