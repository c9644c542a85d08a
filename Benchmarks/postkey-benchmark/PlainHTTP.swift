import Foundation

/// One keep-alive connection to a service on this machine, for one thread that waits for each answer.
///
/// As little work as possible per request: what the load generator computes is missing to the services.
final class PlainHTTP {
    struct Broken: Error {}

    private let port: UInt16
    private var socket: Int32 = -1
    private var buffer = [UInt8](repeating: 0, count: 64 * 1024)

    init(port: Int) { self.port = UInt16(clamping: port) }

    deinit { if socket >= 0 { close(socket) } }

    /// Sends a request and returns the status and the body of its answer; bodies come with their length here.
    func send(_ method: String, _ path: String, _ headers: String = "", body: String = "") throws -> (Int, String) {
        if socket < 0 { try connect() }
        let text =
            "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n\(headers)"
            + (body.isEmpty
                ? "\r\n" : "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(socket, $0.baseAddress, $0.count) }
            guard count > 0 else { throw Broken() }
            rest = rest.dropFirst(count)
        }
        return try receive()
    }

    private func connect() throws {
        socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var one: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Broken() }
    }

    private func receive() throws -> (Int, String) {
        var held = ""
        while true {
            let count = read(socket, &buffer, buffer.count)
            guard count > 0 else { throw Broken() }
            held += String(decoding: buffer[..<count], as: UTF8.self)
            guard let end = held.range(of: "\r\n\r\n") else { continue }
            let head = held[..<end.lowerBound].lowercased()
            guard let status = Int(head.dropFirst(9).prefix(3)) else { throw Broken() }
            let length = head.range(of: "content-length: ").flatMap { range in
                Int(head[range.upperBound...].prefix { $0.isNumber })
            }
            let body = held[end.upperBound...]
            if body.utf8.count >= length ?? 0 { return (status, String(body)) }
        }
    }
}

extension String {
    /// The value of a member of JSON that the services write: strings here have no escapes.
    func member(_ name: String) -> String? {
        guard let start = range(of: "\"\(name)\":\"") else { return nil }
        return String(self[start.upperBound...].prefix { $0 != "\"" })
    }
}
