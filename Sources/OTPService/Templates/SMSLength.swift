/// How long a text is as a text message (3GPP TS 23.038 §6.2.1 and 23.040 §9.2.3.24.1).
package struct SMSLength: Sendable, Hashable {
    package enum Encoding: String, Sendable, Encodable {
        /// Seven bits a character; those of the extension table take two.
        case gsm7 = "GSM-7"
        /// Sixteen bits a character; one such character makes the whole message so.
        case ucs2 = "UCS-2"

        /// What one segment holds, alone and as one of several.
        var capacity: (alone: Int, joined: Int) {
            switch self {
            case .gsm7: (160, 153)
            case .ucs2: (70, 67)
            }
        }
    }

    package let encoding: Encoding
    /// Septets or UTF-16 units.
    package let units: Int
    /// Messages that are paid for.
    package let segments: Int

    /// Measures a text.
    package init(_ text: String) {
        let costs = text.unicodeScalars.map(Self.septets)
        if !costs.contains(nil) {
            self.init(.gsm7, costs.compactMap { $0 })
        } else {
            self.init(.ucs2, text.unicodeScalars.map { $0.value > 0xFFFF ? 2 : 1 })
        }
    }

    /// No character is split over two segments.
    private init(_ encoding: Encoding, _ costs: [Int]) {
        self.encoding = encoding
        units = costs.reduce(0, +)
        let capacity = encoding.capacity
        guard units > capacity.alone else {
            segments = 1
            return
        }
        var segments = 1
        var used = 0
        for cost in costs {
            if used + cost > capacity.joined {
                segments += 1
                used = 0
            }
            used += cost
        }
        self.segments = segments
    }

    /// 1 for the basic table, 2 for its extension, nil for what GSM-7 does not have.
    static func septets(_ scalar: Unicode.Scalar) -> Int? {
        if basic.contains(scalar) { return 1 }
        return extended.contains(scalar) ? 2 : nil
    }

    private static let basic = Set(
        ("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
            + "abcdefghijklmnopqrstuvwxyzäöñüà").unicodeScalars)
    private static let extended = Set("\u{0C}^{}\\[~]|€".unicodeScalars)
}
