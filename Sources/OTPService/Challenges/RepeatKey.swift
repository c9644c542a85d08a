import Crypto
import Foundation
package import HTTPServer
package import Identity

/// The `Idempotency-Key` of a send (draft-ietf-httpapi-idempotency-key-header-07), as the database knows it.
///
/// The look-up combines the header with the route, the client's network and, where there is one, the signed-in user, so
/// that nobody is ever given somebody else's answer. Neither the key nor what was asked for is kept, only their hashes.
package struct RepeatKey: Sendable, Hashable {
    /// SHA-256 of scope and key.
    let key: [UInt8]
    /// SHA-256 of what is asked for.
    let fingerprint: [UInt8]

    /// Takes a header that ``isValid(_:)``.
    package init(
        _ header: String, network: ClientAddress, user: String?, phone: PhoneNumber, purpose: Purpose, channel: Channel
    ) {
        key = Self.hash(["POST /v1/otp/send", network.description, user ?? "", header])
        fingerprint = Self.hash([phone.e164, purpose.rawValue, channel.rawValue])
    }

    /// 1 to 255 printable ASCII characters.
    package static func isValid(_ header: String) -> Bool {
        (1...255).contains(header.utf8.count) && header.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }

    /// No part holds a line end, so that no two lists give the same text.
    private static func hash(_ parts: [String]) -> [UInt8] {
        Array(SHA256.hash(data: Array(parts.joined(separator: "\n").utf8)))
    }
}
