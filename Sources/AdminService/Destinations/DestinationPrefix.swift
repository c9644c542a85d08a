/// A set of numbers by their beginning: `+9198765`, or a country by its two letters.
struct DestinationPrefix: Sendable, Hashable {
    let text: String

    /// Reads `+` and 1 to 15 digits, or two capital letters; nil for anything else.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        let isCountry = bytes.count == 2 && bytes.allSatisfy { (0x41...0x5A).contains($0) }
        let isNumber =
            (2...16).contains(bytes.count) && bytes[0] == UInt8(ascii: "+") && bytes[1] != UInt8(ascii: "0")
            && bytes.dropFirst().allSatisfy { (0x30...0x39).contains($0) }
        guard isCountry || isNumber else { return nil }
        self.text = text
    }
}
