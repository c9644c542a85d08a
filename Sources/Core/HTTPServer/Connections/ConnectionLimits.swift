package import NIOCore

/// How long a connection waits for what, and how much it takes.
package struct ConnectionLimits: Sendable {
    /// From the first byte of a request to the end of its head; also from connecting to the end of the first head.
    package var headTime = TimeAmount.seconds(10)
    /// From the end of the head to the end of the body.
    package var bodyTime = TimeAmount.seconds(30)
    /// Between an answer and the next request.
    package var idleTime = TimeAmount.seconds(75)
    /// How long a client may let an answer lie.
    package var stallTime = TimeAmount.seconds(30)
    /// How long the rest of what a client sends is thrown away after the last answer, so that it can read that answer
    /// before the connection is reset (RFC 9112 §9.6).
    package var lingerTime = TimeAmount.seconds(1)
    /// During shutdown: how long a body that has begun may still take.
    package var drainBodyTime = TimeAmount.seconds(5)
    /// During shutdown: when connections are closed whatever they are doing.
    package var drainTime = TimeAmount.seconds(20)
    /// The largest body of a request, in bytes; handlers may set a lower bound themselves.
    package var maximumBodySize = HTTPServer.maximumBodySize
    /// Larger bodies for the paths that begin so, in bytes.
    package var largerBodies: [String: Int] = [:]
    /// The most header fields of a request.
    package var maximumHeaderFields = 100
    /// The size of all header fields and the request target together, in bytes.
    package var maximumHeaderSize = 32 * 1024

    package init() {}

    /// The largest body of a request for this target, in bytes.
    func bodySize(for path: String?) -> Int {
        if largerBodies.isEmpty { return maximumBodySize }
        return largerBodies.first { path?.hasPrefix($0.key) == true }?.value ?? maximumBodySize
    }
}
