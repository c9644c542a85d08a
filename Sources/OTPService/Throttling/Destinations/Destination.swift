package import Foundation
import Identity

/// A country (`IN`) or the beginning of numbers (`+9198765`).
package struct DestinationName: Sendable, Hashable, CustomStringConvertible {
    /// As it is in the database and in paths.
    package let description: String

    /// Nil unless it is a known two-letter region or the beginning of a number in E.164.
    package init?(_ text: String) {
        if text.utf8.first == UInt8(ascii: "+") {
            let digits = text.utf8.dropFirst()
            guard (1...15).contains(digits.count), digits.first != 0x30,
                digits.allSatisfy({ (0x30...0x39).contains($0) })
            else { return nil }
            description = text
        } else {
            guard PhoneNumber.isKnownRegion(text.uppercased()) else { return nil }
            description = text.uppercased()
        }
    }

    /// The country of numbers that begin so; nil if they belong to several or to none.
    package var country: String? {
        guard description.hasPrefix("+") else { return description }
        // As many digits as most numbers have; what they are does not matter.
        for length in [13, 12, 11, 14, 10] where description.utf8.count <= length {
            let text = description + String(repeating: "0", count: length - description.utf8.count)
            if let region = try? PhoneNumber(parsing: text, defaultRegion: nil).region { return region }
        }
        return nil
    }
}

/// What an operator decided of a destination.
package enum DestinationOverride: String, Sendable, CaseIterable {
    case allowed
    case blocked
}

/// A destination as operators see it.
package struct Destination: Sendable, Hashable {
    package let name: String
    /// Sends of the last hour that count.
    package var sends = 0
    /// Those of them that were verified.
    package var verified = 0
    package var breaker: Breaker
    package var override: DestinationOverride?
    package var overriddenBy: String?
    package var reason: String?
    package var overriddenSince: Date?

    /// `closed`, `open`, `half-open`, `blocked` or `allowed`: what an operator decided comes first.
    package var state: String {
        if let override { return override.rawValue }
        return switch breaker.state {
        case .closed: "closed"
        case .open: "open"
        case .halfOpen: "half-open"
        }
    }

    /// Since when.
    package var since: Date { override == nil ? breaker.since : overriddenSince ?? breaker.since }
    /// When the breaker changes by itself.
    package var until: Date? { override == nil && breaker.state == .open ? breaker.until : nil }
}
