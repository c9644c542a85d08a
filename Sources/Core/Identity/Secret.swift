/// Why a text will not do as a key. It never carries the text.
package enum WeakSecret: Error, Hashable, CustomStringConvertible {
    /// Fewer than 32 bytes, after decoding if it is hexadecimal.
    case tooShort
    /// Contains a word that examples and tutorials use.
    case wellKnown
    /// Equal, repeated, counting or too few different characters.
    case repetitive

    /// What to do about it, for the start-up message.
    package var description: String {
        switch self {
        case .tooShort: "is shorter than 32 random bytes; make one with: openssl rand -hex 32"
        case .wellKnown: "contains a well-known word; make one with: openssl rand -hex 32"
        case .repetitive: "is not random; make one with: openssl rand -hex 32"
        }
    }
}

/// Key material that prints itself masked.
package struct Secret: Sendable {
    /// The key itself.
    package let bytes: [UInt8]

    /// Takes key material that was derived or generated, without judging it.
    package init(bytes: [UInt8]) { self.bytes = bytes }

    /// Takes a secret from the configuration if it can be one. Throws `WeakSecret`.
    ///
    /// The key is the text itself in UTF-8, as other JWT tools read the same setting; hexadecimal is decoded only to
    /// judge its length.
    package init(validating text: String) throws(WeakSecret) {
        let bytes = Array(text.utf8)
        let isHexadecimal = bytes.allSatisfy(Self.isHexadecimalDigit)
        guard bytes.count >= (isHexadecimal ? 64 : 32) else { throw .tooShort }
        let lowercase = text.lowercased()
        guard !Self.wellKnown.contains(where: lowercase.contains) else { throw .wellKnown }
        guard Set(bytes).count >= 10, !Self.isPeriodic(bytes), !Self.isCounting(bytes) else { throw .repetitive }
        self.bytes = bytes
    }

    /// Words of at least six letters: the chance that forty random characters contain one is below one in ten million.
    private static let wellKnown = [
        "secret", "changeme", "change-me", "change_me", "password", "passphrase", "example", "placeholder", "insecure",
        "default", "postkey", "development", "replace", "0123456789", "qwerty",
    ]

    private static func isHexadecimalDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }

    /// Whether a shorter text repeats to make up the whole.
    private static func isPeriodic(_ bytes: [UInt8]) -> Bool {
        (1...max(1, bytes.count / 2)).contains { period in
            zip(bytes, bytes.dropFirst(period)).allSatisfy { $0 == $1 }
        }
    }

    /// Whether most characters are their predecessor plus or minus one.
    private static func isCounting(_ bytes: [UInt8]) -> Bool {
        let steps = zip(bytes, bytes.dropFirst()).count { abs(Int($0) - Int($1)) == 1 }
        return steps > bytes.count * 3 / 4
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The length only.
    package var description: String { "Secret(\(bytes.count) bytes)" }
    /// The length only.
    package var debugDescription: String { description }
    /// Shows the length only.
    package var customMirror: Mirror { Mirror(self, children: ["length": bytes.count]) }
}
