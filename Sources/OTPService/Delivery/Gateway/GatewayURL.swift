/// `MSG91_BASE_URL`: `https://control.msg91.com`.
///
/// Key and codes go there, so plain http is for a simulator nearby only: on this machine, in a private network (RFC 1918,
/// RFC 4193), or under a name without a dot, as containers have.
package struct GatewayURL: Sendable, Hashable {
    /// Without a slash at its end.
    package let text: String
    /// The host if plain http is spoken to it, which the client must be told to accept; nil for https.
    package let plainHost: String?

    /// MSG91 itself.
    package static let msg91 = GatewayURL(text: "https://control.msg91.com", plainHost: nil)
    /// The simulator on this machine.
    package static let simulator = GatewayURL(text: "http://127.0.0.1:8090", plainHost: "127.0.0.1")

    private init(text: String, plainHost: String?) {
        self.text = text
        self.plainHost = plainHost
    }

    /// Reads `scheme://host[:port][/path]`; nil for anything else, and for plain http to a public host.
    package init?(_ text: String) {
        let trimmed = String(text[..<(text.lastIndex { $0 != "/" }.map(text.index(after:)) ?? text.startIndex)])
        let isPlain = trimmed.hasPrefix("http://")
        guard isPlain || trimmed.hasPrefix("https://") else { return nil }
        let rest = trimmed.dropFirst(isPlain ? 7 : 8)
        let authority = rest.prefix { $0 != "/" }
        guard rest.dropFirst(authority.count).utf8.allSatisfy(Self.isPathCharacter) else { return nil }
        let host: Substring
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]"), Self.isPort(authority[authority.index(after: end)...]),
                authority[..<end].dropFirst().utf8.allSatisfy({ Self.isHexadecimal($0) || $0 == 0x3A || $0 == 0x2E })
            else { return nil }
            host = authority[...end]
        } else {
            host = authority.prefix { $0 != ":" }
            guard Self.isName(host), Self.isPort(authority.dropFirst(host.count)) else { return nil }
        }
        if isPlain, !Self.isNear(host.lowercased()) { return nil }
        self.text = trimmed
        plainHost = isPlain ? String(host) : nil
    }

    /// Nothing, or a colon and 1 to 65535.
    private static func isPort(_ text: Substring) -> Bool {
        guard !text.isEmpty else { return true }
        guard text.first == ":", text.dropFirst().utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
        return UInt16(text.dropFirst()).map { $0 > 0 } ?? false
    }

    /// A name of letters, digits and hyphens (RFC 1123 §2.1), or an IPv4 address in four parts.
    private static func isName(_ host: Substring) -> Bool {
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        let areLabels = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        }
        guard areLabels, host.utf8.count <= 253, let last = labels.last else { return false }
        return Int(last) == nil || ipv4(host) != nil
    }

    private static func ipv4(_ host: some StringProtocol) -> [UInt8]? {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        let bytes = parts.compactMap(\.self)
        return parts.count == 4 && bytes.count == 4 ? bytes : nil
    }

    private static func isNear(_ host: String) -> Bool {
        if let bytes = ipv4(host), let first = bytes.first, let second = bytes.dropFirst().first {
            return first == 127 || first == 10 || first == 172 && (16...31).contains(second)
                || first == 192 && second == 168
        }
        if host.hasPrefix("[") { return host == "[::1]" || host.hasPrefix("[fc") || host.hasPrefix("[fd") }
        return !host.contains(".") || host.hasSuffix(".localhost") || host.hasSuffix(".internal")
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }

    private static func isPathCharacter(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || "/-._~".utf8.contains(byte) }
}
