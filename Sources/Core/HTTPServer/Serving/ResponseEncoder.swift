import HTTPTypes
import HummingbirdCore
import NIOCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Writes answers in the bytes of HTTP/1.1 (RFC 9112 §4), with the headers that every answer has.
///
/// Made for one write per answer: NIO's encoder would take the head apart twice and send it in three pieces.
struct ResponseEncoder: Sendable {
    private static let referrerPolicy = HTTPField.Name("Referrer-Policy")
    private let date = HTTPDate()

    /// The answer in bytes.
    /// - Parameter closes: whether the connection ends with it.
    func encode(
        _ response: Response, body: ByteBuffer, to request: ReceivedRequest, trace: RequestTrace, closes: Bool
    ) -> ByteBuffer {
        let status = response.status
        let isHead = request.head.method == .head
        // RFC 9110 §8.6: no length where there can be no content.
        let mayHaveContent = status.code >= 200 && status.code != 204 && status.code != 304
        var buffer = ByteBufferAllocator().buffer(capacity: 512 + (isHead ? 0 : body.readableBytes))
        buffer.writeString("HTTP/1.1 ")
        buffer.writeString(String(status.code))
        buffer.writeString(" ")
        buffer.writeString(status.reasonPhrase)
        buffer.writeString("\r\n")
        var length = body.readableBytes
        var hasCacheControl = false
        var hasSecurityPolicy = false
        var hasReferrerPolicy = false
        var hasTransportSecurity = false
        for field in response.headers {
            switch field.name {
            case .contentLength:
                if isHead, let value = Int(field.value) { length = value }
                continue
            case .connection, .transferEncoding: continue
            case .cacheControl: hasCacheControl = true
            case .contentSecurityPolicy: hasSecurityPolicy = true
            case .strictTransportSecurity: hasTransportSecurity = true
            default: if field.name == Self.referrerPolicy { hasReferrerPolicy = true }
            }
            buffer.writeString(field.name.rawName)
            buffer.writeStaticString(": ")
            field.withUnsafeBytesOfValue { _ = buffer.writeBytes($0) }
            buffer.writeStaticString("\r\n")
        }
        if mayHaveContent {
            buffer.writeStaticString("Content-Length: ")
            buffer.writeString(String(length))
            buffer.writeStaticString("\r\n")
        }
        if !hasCacheControl { buffer.writeStaticString("Cache-Control: no-store\r\n") }
        if !hasSecurityPolicy {
            buffer.writeStaticString("Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n")
        }
        if !hasReferrerPolicy { buffer.writeStaticString("Referrer-Policy: no-referrer\r\n") }
        // RFC 6797 §7.2: never over plain HTTP, of which the proxy in front knows.
        if !hasTransportSecurity, request.isForwardedByTLS {
            buffer.writeStaticString("Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n")
        }
        buffer.writeStaticString("X-Content-Type-Options: nosniff\r\nX-Request-Id: ")
        buffer.writeString(trace.requestID)
        if let traceparent = trace.traceparent {
            buffer.writeStaticString("\r\ntraceparent: ")
            buffer.writeString(traceparent)
        }
        buffer.writeStaticString("\r\nDate: ")
        buffer.writeString(date.text())
        if closes {
            buffer.writeStaticString("\r\nConnection: close")
        } else if request.isVersion10 {
            buffer.writeStaticString("\r\nConnection: keep-alive")
        }
        buffer.writeStaticString("\r\n\r\n")
        if !isHead, mayHaveContent { buffer.writeImmutableBuffer(body) }
        return buffer
    }

    /// The body of an answer as one piece; ours are small, and their length is to be told.
    static func collect(_ body: ResponseBody) async throws -> ByteBuffer {
        if body.contentLength == 0 { return ByteBuffer() }
        let collector = BodyCollector()
        try await body.write(collector)
        return collector.storage.buffer
    }
}

/// Takes the pieces of a body.
private struct BodyCollector: ResponseBodyWriter {
    final class Storage { var buffer = ByteBuffer() }

    let storage = Storage()

    mutating func write(_ buffer: ByteBuffer) async throws {
        if storage.buffer.readableBytes == 0 {
            storage.buffer = buffer
        } else {
            storage.buffer.writeImmutableBuffer(buffer)
        }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

/// The time in the form of the `Date` header (RFC 9110 §5.6.7), made once a second.
final class HTTPDate: Sendable {
    private let latest = Mutex<(second: Int, text: String)>((-1, ""))

    func text() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let second = time.tv_sec
        return latest.withLock { latest in
            if latest.second != second { latest = (second, Self.text(second)) }
            return latest.text
        }
    }

    static func text(_ second: Int) -> String {
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let rfc3339 = Timestamp.text(millisecondsSince1970: Int64(second) * 1000)
        let parts = rfc3339.split { "-T:.".contains($0) }
        guard parts.count == 7, let month = Int(parts[1]), second >= 0 else { return rfc3339 }
        let day = days[second / 86_400 % 7]
        return "\(day), \(parts[2]) \(months[month - 1]) \(parts[0]) \(parts[3]):\(parts[4]):\(parts[5]) GMT"
    }
}
