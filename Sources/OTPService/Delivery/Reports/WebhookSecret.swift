import Crypto
package import Identity
package import ServiceRuntime

/// What MSG91 has to know to report (`MSG91_WEBHOOK_SECRET`): its webhooks are not signed.
package struct WebhookSecret: Sendable {
    private let digest: SHA256Digest

    /// Takes a secret that has been judged.
    package init(_ secret: Secret) {
        digest = SHA256.hash(data: secret.bytes)
    }

    /// Reads the setting; nil if it is absent. It is a part of a URL, so it is 16 to 128 unreserved characters.
    package init?(_ reader: SettingsReader) {
        guard let text = reader.optional("MSG91_WEBHOOK_SECRET") else { return nil }
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                true
            default: false
            }
        }
        if !isPlain || !(16...128).contains(text.utf8.count) || Set(text.utf8).count < 8 {
            reader.problem(
                "MSG91_WEBHOOK_SECRET",
                "must be 16 to 128 random letters, digits, -, ., _ or ~, as openssl rand -hex 32 makes them")
        }
        self.init(Secret(bytes: Array(text.utf8)))
    }

    /// Compares hashes, in constant time: how long it takes tells nothing of how much was right.
    func matches(_ text: String) -> Bool { SHA256.hash(data: Array(text.utf8)) == digest }
}

extension WebhookSecret: CustomStringConvertible, CustomReflectable {
    /// Says that there is one.
    package var description: String { "WebhookSecret" }
    /// Shows nothing.
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
