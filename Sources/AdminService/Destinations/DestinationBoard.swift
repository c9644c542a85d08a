import HTTPServer

/// What otp-service says about destinations: the answer of its `GET /internal/destinations`, and our own.
struct DestinationBoard: Sendable, Codable {
    /// A set of numbers, by country or beginning.
    struct Item: Sendable, Codable {
        let prefix: String
        let country: String?
        /// `closed` lets sends through; `open` and `half-open` are the breaker's; `allowed` and `blocked` an operator's.
        let state: String
        /// Sends of the last hour that count, and those of them that were verified.
        let sends: Int?
        let verified: Int?
        let conversion: Double?
        let since: WireTime?
        /// When the breaker changes by itself.
        let until: WireTime?
        let reason: String?
    }

    let destinations: [Item]
    /// Whether all sending is paused.
    let paused: Bool?
    let asOf: WireTime

    enum CodingKeys: String, CodingKey {
        case destinations, paused
        case asOf = "as_of"
    }
}

extension DestinationBoard {
    /// What keeps codes from a destination or from a part of it; nil if nothing is known to.
    func state(of prefix: String) -> String? {
        let states = destinations.filter { item in
            item.prefix == prefix || prefix.hasPrefix("+") && item.prefix.hasPrefix(prefix)
        }.map(\.state)
        return ["blocked", "open", "half-open", "allowed"].first(where: states.contains)
    }
}
