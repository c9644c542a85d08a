/// Who is asking, as limits by network count it: an IPv4 address, or the /64 of an IPv6 address, because one customer of
/// one provider has at least that many.
package struct ClientAddress: Hashable, Sendable, CustomStringConvertible {
    private let address: IPAddress

    /// The client that has an address.
    package init(_ address: IPAddress) {
        self.address = address.isV4 ? address : IPAddress(high: address.high, low: 0)
    }

    /// `203.0.113.9`, or `2001:db8:1:2::/64`; PostgreSQL reads both as `inet`.
    package var description: String { address.isV4 ? address.description : "\(address)/64" }

    /// Finds the client of a request: the peer, or if that is a trusted proxy the right-most hop of `X-Forwarded-For` that is none.
    ///
    /// Everything to the left of that hop was written by the client and is not looked at. A hop that is not an address
    /// ends the search: then the last trusted proxy before it is the client. At most 32 hops are followed.
    /// - Parameter forwardedFor: the values of all such headers in the order received.
    package init(peer: IPAddress, forwardedFor: [String], trusting proxies: [AddressRange]) {
        var client = peer
        if !proxies.isEmpty, !forwardedFor.isEmpty, Self.isTrusted(peer, proxies) {
            for hop in Self.hopsFromTheRight(forwardedFor) {
                guard let address = Self.parse(hop) else { break }
                client = address
                if !Self.isTrusted(address, proxies) { break }
            }
        }
        self.init(client)
    }

    private static func isTrusted(_ address: IPAddress, _ proxies: [AddressRange]) -> Bool {
        proxies.contains { $0.contains(address) }
    }

    private static func hopsFromTheRight(_ headers: [String]) -> some Sequence<Substring.UTF8View> {
        headers.reversed().lazy
            .flatMap {
                $0.utf8.suffix(2048).split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).reversed()
            }
            .prefix(32)
            .map { Substring($0).utf8 }
    }

    /// Reads a hop as proxies write it: an address, `address:port`, `[v6]` or `[v6]:port`, with blanks around it.
    private static func parse(_ hop: Substring.UTF8View) -> IPAddress? {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        var text = hop.drop(while: isBlank)
        while let last = text.last, isBlank(last) { text = text.dropLast() }
        guard text.count <= 64 else { return nil }
        if text.first == UInt8(ascii: "[") {
            guard let end = text.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || isPort(rest) else { return nil }
            return IPAddress(Substring(text[text.index(after: text.startIndex)..<end]))
        }
        if let colon = text.firstIndex(of: 0x3A), !text[text.index(after: colon)...].contains(0x3A) {
            guard isPort(text[colon...]) else { return nil }
            return IPAddress(Substring(text[..<colon]))
        }
        return IPAddress(Substring(text))
    }

    private static func isPort(_ text: Substring.UTF8View) -> Bool {
        text.first == 0x3A && (2...6).contains(text.count) && text.dropFirst().allSatisfy { (0x30...0x39).contains($0) }
    }
}
