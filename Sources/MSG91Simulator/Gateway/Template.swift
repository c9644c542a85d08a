/// The text of a message with `##name##` placeholders.
struct Template {
    /// Fills in a template in one pass; a name without a value leaves a blank, as MSG91 does.
    static func fill(_ text: String, _ value: (String) -> String?) -> String {
        var filled = ""
        var rest = Substring(text)
        while let start = rest.firstRange(of: "##") {
            let afterStart = rest[start.upperBound...]
            guard let end = afterStart.firstRange(of: "##") else { break }
            let name = afterStart[..<end.lowerBound]
            // Placeholder names are short words; anything else is text that happens to hold the signs.
            guard !name.isEmpty, name.utf8.count <= 40, name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" })
            else {
                // One sign alone: in "###OTP##" the placeholder begins at the second.
                filled += rest[...start.lowerBound]
                rest = rest[rest.index(after: start.lowerBound)...]
                continue
            }
            filled += rest[..<start.lowerBound]
            filled += value(String(name)) ?? ""
            rest = afterStart[end.upperBound...]
        }
        return filled + rest
    }
}
