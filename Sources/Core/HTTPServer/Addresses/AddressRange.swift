/// A range of addresses in CIDR notation (RFC 4632, RFC 4291 §2.3), `10.0.0.0/8` or `2001:db8::/32`.
package struct AddressRange: Hashable, Sendable {
    private let network: IPAddress
    private let maskHigh: UInt64
    private let maskLow: UInt64

    /// Reads `address/length`; an address alone is a range of one. Bits beyond the length are ignored.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 2, let address = IPAddress(first) else { return nil }
        // The length counts from the beginning of the notation used, not of the mapped form.
        let offset = address.isV4 && !first.utf8.contains(UInt8(ascii: ":")) ? 96 : 0
        var length = 128
        if parts.count == 2 {
            guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let value = Int(parts[1]), value <= 128 - offset
            else { return nil }
            length = value + offset
        }
        maskHigh = Self.mask(min(length, 64))
        maskLow = Self.mask(max(length - 64, 0))
        network = IPAddress(high: address.high & maskHigh, low: address.low & maskLow)
    }

    /// Whether an address lies in the range.
    package func contains(_ address: IPAddress) -> Bool {
        address.high & maskHigh == network.high && address.low & maskLow == network.low
    }

    private static func mask(_ bits: Int) -> UInt64 { bits == 0 ? 0 : ~UInt64(0) << UInt64(64 - bits) }

    /// Reads a list separated by commas and spaces; `invalid` holds what is no range.
    package static func list(_ text: String) -> (ranges: [AddressRange], invalid: [String]) {
        var ranges: [AddressRange] = []
        var invalid: [String] = []
        for part in text.split(whereSeparator: { $0 == "," || $0 == " " }) {
            if let range = AddressRange(part) { ranges.append(range) } else { invalid.append(String(part)) }
        }
        return (ranges, invalid)
    }
}
