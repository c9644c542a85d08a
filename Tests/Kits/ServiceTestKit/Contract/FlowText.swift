/// The flow part of YAML: what stands in braces and brackets, and single scalars.
struct FlowText {
    private var characters: [Character]
    private var index = 0

    init(_ text: String) { characters = Array(text) }

    /// Whether a brace or bracket is not closed yet. A text with an apostrophe wants double quotes.
    var isOpen: Bool {
        var depth = 0
        var quote: Character?
        for character in characters {
            if let open = quote {
                if character == open { quote = nil }
            } else if "'\"".contains(character) {
                quote = character
            } else if "{[".contains(character) {
                depth += 1
            } else if "}]".contains(character) {
                depth -= 1
            }
        }
        return depth > 0
    }

    mutating func add(_ line: Substring) { characters += [" "] + Array(line) }

    mutating func read(_ fault: (String) -> ServiceTestError) throws -> ContractValue {
        let value = try collection(fault)
        skipSpaces()
        guard index == characters.count || characters[index] == "#" else { throw fault("\(rest) after a value") }
        return value
    }

    /// A scalar that fills the line.
    mutating func readScalar(_ fault: (String) -> ServiceTestError) throws -> ContractValue {
        if let first = characters.first, "'\"".contains(first) { return try read(fault) }
        let text = String(characters).trimmedAtEnd
        guard !text.contains(": "), !text.contains(" #"), let first = text.first, !"&*!|>%@`?".contains(first) else {
            throw fault("\(text) wants quotes")
        }
        return Self.plain(text)
    }

    private var rest: String { String(characters[min(index, characters.count)...]) }

    private mutating func skipSpaces() {
        while index < characters.count, characters[index] == " " { index += 1 }
    }

    private mutating func take(_ character: Character) -> Bool {
        skipSpaces()
        guard index < characters.count, characters[index] == character else { return false }
        index += 1
        return true
    }

    private mutating func collection(_ fault: (String) -> ServiceTestError) throws -> ContractValue {
        if take("{") {
            var members: [String: ContractValue] = [:]
            while !take("}") {
                guard let key = try scalar(fault).key, take(":") else { throw fault("no key at \(rest)") }
                guard members.updateValue(try collection(fault), forKey: key) == nil else {
                    throw fault("\(key) is there twice")
                }
                if !take(","), rest.first != "}" { throw fault("no comma at \(rest)") }
            }
            return .map(members)
        }
        if take("[") {
            var items: [ContractValue] = []
            while !take("]") {
                items.append(try collection(fault))
                if !take(","), rest.first != "]" { throw fault("no comma at \(rest)") }
            }
            return .list(items)
        }
        return try scalar(fault)
    }

    private mutating func scalar(_ fault: (String) -> ServiceTestError) throws -> ContractValue {
        if take("'") { return .string(try quoted(by: "'", fault)) }
        if take("\"") { return .string(try quoted(by: "\"", fault)) }
        let start = index
        while index < characters.count, !",{}[]".contains(characters[index]) {
            let follows = index + 1 < characters.count ? characters[index + 1] : " "
            if characters[index] == ":", follows == " " { break }
            index += 1
        }
        let text = String(characters[start..<index]).trimmedAtEnd
        guard let first = text.first, !"&*!|>%@`?#".contains(first) else { throw fault("no value at \(rest)") }
        return Self.plain(text)
    }

    /// The rest of a quoted text. Of a double-quoted one no escapes are known.
    private mutating func quoted(
        by quote: Character, _ fault: (String) -> ServiceTestError
    ) throws -> String {
        var text = ""
        while index < characters.count {
            let character = characters[index]
            index += 1
            if character == quote {
                guard quote == "'", index < characters.count, characters[index] == "'" else { return text }
                index += 1
            } else if quote == "\"", character == "\\" {
                throw fault("an escape in \(String(characters))")
            }
            text.append(character)
        }
        throw fault("a quote that does not end")
    }

    private static func plain(_ text: String) -> ContractValue {
        switch text {
        case "null", "~": .null
        case "true": .bool(true)
        case "false": .bool(false)
        default:
            if let value = Int(text), !text.hasPrefix("+") {
                .integer(value)
            } else if text.first?.isNumber == true, let value = Double(text) {
                .number(value)
            } else {
                .string(text)
            }
        }
    }
}

extension ContractValue {
    fileprivate var key: String? {
        switch self {
        case .string(let text): text
        case .integer(let value): String(value)
        default: nil
        }
    }
}

extension String {
    fileprivate var trimmedAtEnd: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
