import HTTPServer
import Identity

/// What otp-service says about destinations: the answer of its `GET /internal/destinations`, and our own.
struct DestinationBoard: Sendable, Codable {
    /// A set of numbers, by country or beginning.
    struct Item: Sendable, Codable {
        let prefix: String
        let country: String?
        /// `closed` lets sends through; `open` and `half-open` are the breaker's; `allowed` and `blocked` an operator's.
        let state: String
        /// Whether the country is one that codes are sent to at all; nil if an otp-service of before does not say.
        let permitted: Bool?
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
    /// Whether all sending is paused; nil if an otp-service of before does not say.
    let paused: Bool?
    let asOf: WireTime

    enum CodingKeys: String, CodingKey {
        case destinations, paused
        case asOf = "as_of"
    }
}

extension DestinationBoard {
    /// What keeps codes from a block of numbers or from a part of it; nil if nothing is known to.
    ///
    /// As otp-service judges each number: the operators' word for its longest beginning comes first, then a country that they
    /// blocked, then the breakers of both, without the country's if they allowed it.
    func state(ofBlock block: String, in country: String?) -> String? {
        let parts = destinations.filter { $0.prefix != block && $0.prefix.hasPrefix(block) }.map(\.state)
        if let word = word(on: block) { return word == "allowed" && parts.contains("blocked") ? "blocked" : word }
        let breakers = destinations.filter { $0.prefix == block || $0.prefix == country }.map(\.state)
        return Self.worst(of: breakers + parts)
    }

    /// What keeps codes from a country; nil if nothing is known to. What is blocked or allowed within it is not the country.
    func state(ofCountry country: String) -> String? {
        // A word on +9 or +91 is one on every number of IN.
        let code = PhoneNumber.callingCode(ofRegion: country).map { "+\($0)" }
        return code.flatMap(word(on:)) ?? Self.worst(of: destinations.filter { $0.prefix == country }.map(\.state))
    }

    /// What operators said of just this destination: `blocked`, `allowed`, or nil.
    func decision(about prefix: DestinationPrefix) -> String? {
        destinations.first { $0.prefix == prefix.text && $0.isDecided }?.state
    }

    /// What operators said of the longest beginning that all these numbers have.
    private func word(on beginning: String) -> String? {
        destinations.filter { $0.isDecided && beginning.hasPrefix($0.prefix) }
            .max { $0.prefix.utf8.count < $1.prefix.utf8.count }?.state
    }

    private static func worst(of states: [String]) -> String? {
        ["blocked", "open", "half-open", "allowed"].first(where: states.contains)
    }
}

extension DestinationBoard.Item {
    /// Whether an operator said so, not the breaker.
    fileprivate var isDecided: Bool { state == "blocked" || state == "allowed" }
}
