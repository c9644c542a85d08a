import Dispatch
import FoundationEssentials
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

struct SocketError: Error, CustomStringConvertible { let description: String }

/// A TCP connection that sends exactly what it is told to.
final class Connection: @unchecked Sendable {
    private let descriptor: Int32
    private var received: [UInt8] = []
    private let queue = DispatchQueue(label: "connection")

    init(port: Int) throws {
        #if canImport(Glibc)
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw SocketError(description: "connect: errno \(errno)") }
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                #if canImport(Glibc)
                    Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                #else
                    Darwin.send(descriptor, $0.baseAddress, $0.count, 0)
                #endif
            }
            guard count > 0 else { throw SocketError(description: "send: errno \(errno)") }
            rest = rest.dropFirst(count)
        }
    }

    func close() {
        #if canImport(Glibc)
            _ = Glibc.close(descriptor)
        #else
            _ = Darwin.close(descriptor)
        #endif
    }

    func endSending() {
        #if canImport(Glibc)
            _ = shutdown(descriptor, Int32(SHUT_WR))
        #else
            _ = shutdown(descriptor, SHUT_WR)
        #endif
    }

    /// The next answer. Throws if it is not there in time.
    func answer(seconds: Int = 20, isHead: Bool = false) async throws -> Answer {
        try await onQueue { connection in
            let deadline = ContinuousClock.now + .seconds(seconds)
            while true {
                if let (answer, size) = Answer.parse(connection.received, isHead: isHead) {
                    connection.received.removeFirst(size)
                    return answer
                }
                guard try connection.receive(until: deadline) else {
                    throw SocketError(
                        description: "closed without an answer: \(String(decoding: connection.received, as: UTF8.self))"
                    )
                }
            }
        }
    }

    /// Everything until the other side closes. Throws if it does not in time.
    func remainder(seconds: Int = 20) async throws -> String {
        try await onQueue { connection in
            let deadline = ContinuousClock.now + .seconds(seconds)
            while try connection.receive(until: deadline) {}
            return String(decoding: connection.received, as: UTF8.self)
        }
    }

    private func onQueue<Result: Sendable>(_ body: @escaping @Sendable (Connection) throws -> Result) async throws
        -> Result
    {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: .init { try body(self) }) }
        }
    }

    /// Whether there was something; false at the end.
    private func receive(until deadline: ContinuousClock.Instant) throws -> Bool {
        let rest = deadline - .now
        guard rest > .zero else { throw SocketError(description: "nothing came in time") }
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let ready = Int32(rest / .milliseconds(1)) + 1
        #if canImport(Glibc)
            let status = Glibc.poll(&poll, 1, ready)
        #else
            let status = Darwin.poll(&poll, 1, ready)
        #endif
        guard status > 0 else { throw SocketError(description: "nothing came in time") }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count < 0 && errno == ECONNRESET { return false }
        guard count >= 0 else { throw SocketError(description: "recv: errno \(errno)") }
        received.append(contentsOf: buffer.prefix(count))
        return count > 0
    }
}

extension Result where Failure == any Error {
    init(_ body: () throws -> Success) { self.init(catching: body) }
}

/// One HTTP answer, taken apart.
struct Answer: Sendable {
    let status: Int
    let headers: [(name: String, value: String)]
    let body: String

    /// The values of a header, joined by a bar to show when there are several.
    subscript(_ name: String) -> String? {
        let values = headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
        return values.isEmpty ? nil : values.joined(separator: "|")
    }

    /// The body as a JSON object.
    var json: JSON { get throws { try JSONDecoder().decode(JSON.self, from: Data(body.utf8)) } }

    /// The first answer in some bytes and how many of them it takes; nil if it is not whole yet.
    static func parse(_ bytes: [UInt8], isHead: Bool) -> (Answer, Int)? {
        let marker: [UInt8] = [13, 10, 13, 10]
        guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: marker) }) else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let status = lines.first.flatMap { Int($0.split(separator: " ").dropFirst().first ?? "") } ?? 0
        var headers: [(name: String, value: String)] = []
        var length = 0
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            let value = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
            headers.append((String(parts[0]), value))
            if parts[0].lowercased() == "content-length" { length = Int(value) ?? 0 }
        }
        if status == 204 || status == 100 || isHead { length = 0 }
        guard bytes.count >= end + 4 + length else { return nil }
        let body = String(decoding: bytes[(end + 4)..<(end + 4 + length)], as: UTF8.self)
        return (Answer(status: status, headers: headers, body: body), end + 4 + length)
    }
}

/// Any JSON value.
enum JSON: Decodable, Equatable, Sendable {
    case null
    case boolean(Bool)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .boolean(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSON].self))
        }
    }

    subscript(_ name: String) -> JSON? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    subscript(_ index: Int) -> JSON? {
        if case .array(let values) = self, values.indices.contains(index) { values[index] } else { nil }
    }

    var text: String? { if case .string(let text) = self { text } else { nil } }
}
