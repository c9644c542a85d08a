#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One question to a service on this machine, on a plain socket, so that a container needs no other program to ask it.
package struct HealthProbe: Sendable {
    /// A numeric address that the service listens on.
    package let host: String
    package let port: UInt16
    /// `/health/live` or `/health/ready`.
    package let path: String
    /// Longest wait for the connection and for each part of the answer, in seconds.
    package var patience = 3

    /// - Parameter host: what `HOST` says; an address that stands for all is asked by its loopback.
    package init(host: String, port: UInt16, path: String) {
        self.host =
            switch host {
            case "0.0.0.0", "": "127.0.0.1"
            case "::": "::1"
            default: host
            }
        self.port = port
        self.path = path
    }

    /// The status of the answer; nil when there is none.
    package func status() -> Int? {
        guard let descriptor = connected() else { return nil }
        defer { close(descriptor) }
        let name = host.contains(":") ? "[\(host)]" : host
        let request = Array("GET \(path) HTTP/1.1\r\nHost: \(name):\(port)\r\nConnection: close\r\n\r\n".utf8)
        guard send(descriptor, request, request.count, Self.quietly) == request.count else { return nil }
        var line = [UInt8]()
        var buffer = [UInt8](repeating: 0, count: 64)
        while line.count < 12 {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            line += buffer.prefix(count)
        }
        return Self.status(inLine: line)
    }

    /// The status code of `HTTP/1.1 200 OK` (RFC 9112 §4); nil if the bytes begin otherwise.
    package static func status(inLine line: [UInt8]) -> Int? {
        let text = String(decoding: line.prefix(12), as: UTF8.self)
        guard text.hasPrefix("HTTP/1."), text.utf8.count == 12, text.utf8.dropFirst(8).first == 0x20 else { return nil }
        return Int(text.suffix(3))
    }

    /// A peer that is gone is an error to look at, not a signal to die of.
    #if canImport(Glibc)
        private static let quietly = Int32(MSG_NOSIGNAL)
    #else
        private static let quietly: Int32 = 0
    #endif

    private func connected() -> Int32? {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = SOCK_STREAM
        #endif
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &found) == 0, let found else { return nil }
        defer { freeaddrinfo(found) }
        let address = found.pointee
        let descriptor = socket(address.ai_family, address.ai_socktype, address.ai_protocol)
        guard descriptor >= 0 else { return nil }
        var limit = timeval()
        limit.tv_sec = patience
        // On Linux the time to send also bounds connect (socket(7)).
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        guard connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }
}
