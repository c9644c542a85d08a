package import Logging
import Synchronization

/// What ties together the log lines, the answers and the further calls of one request.
package struct RequestTrace: Sendable {
    /// 1 to 64 of `[A-Za-z0-9._-]`: the caller's `X-Request-Id` if it was such, else made here.
    package let requestID: String
    /// The caller's `traceparent` if it was well-formed (W3C Trace Context §3.2), to be passed on.
    package let traceparent: String?

    /// The trace of the request that the current task serves.
    @TaskLocal package static var current: RequestTrace?

    package init(requestID: String, traceparent: String? = nil) {
        self.requestID = requestID
        self.traceparent = traceparent
    }

    /// Puts `request_id` on every log line written while a request is served, by whatever module.
    package static let metadataProvider = Logger.MetadataProvider {
        guard let current else { return [:] }
        return ["request_id": .string(current.requestID)]
    }

    /// The headers that carry the trace to another service, as pairs for its HTTP client.
    package var headers: [(String, String)] {
        guard let traceparent else { return [("X-Request-Id", requestID)] }
        return [("X-Request-Id", requestID), ("traceparent", traceparent)]
    }

    /// Makes a request id of 32 hexadecimal digits.
    ///
    /// It has to be unique, not secret: a counter, scattered by SplitMix64 from two random beginnings, spares every request
    /// the call for randomness.
    package static func makeRequestID() -> String {
        let number = counter.add(1, ordering: .relaxed).newValue
        let words = (scatter(seeds.0 &+ number), scatter(seeds.1 &+ number))
        return String(unsafeUninitializedCapacity: 32) { buffer in
            for index in 0..<32 {
                let word = index < 16 ? words.0 : words.1
                let nibble = UInt8(truncatingIfNeeded: word >> UInt64((15 - index % 16) * 4)) & 0xF
                buffer[index] = nibble < 10 ? 0x30 + nibble : 0x61 + nibble - 10
            }
            return 32
        }
    }

    private static let seeds = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
    private static let counter = Atomic<UInt64>(0)

    /// The output function of SplitMix64 (Steele, Lea and Flood, *Fast splittable pseudorandom number generators*, 2014).
    private static func scatter(_ value: UInt64) -> UInt64 {
        var z = value &* 0x9E37_79B9_7F4A_7C15
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    /// Whether a caller's request id can be used as it is.
    package static func isRequestID(_ text: String) -> Bool {
        let bytes = text.utf8
        guard (1...64).contains(bytes.count) else { return false }
        return bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }

    /// Whether a text is a `traceparent` of version 00: `00-<32 hex>-<16 hex>-<2 hex>`, ids not all zero.
    package static func isTraceparent(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 55, bytes[0] == 0x30, bytes[1] == 0x30 else { return false }
        for (index, byte) in bytes.enumerated() {
            if index == 2 || index == 35 || index == 52 {
                guard byte == UInt8(ascii: "-") else { return false }
            } else {
                guard (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) else { return false }
            }
        }
        return bytes[3..<35].contains { $0 != 0x30 } && bytes[36..<52].contains { $0 != 0x30 }
    }
}
