/// Judges a JSON text (RFC 8259) before a decoder sees it, in one pass without recursion.
///
/// It refuses what decoders disagree about or suffer from: duplicate names, depth, numbers of absurd length, NUL
/// (PostgreSQL cannot store it), lone surrogates, a byte order mark, anything after the value.
struct JSONScanner {
    /// What is wrong, and within which member of the outermost object.
    struct Defect: Error, Equatable {
        let field: String
        let message: String
    }

    /// The most levels of objects and arrays.
    static let maximumDepth = 16
    /// The most members of one object.
    static let maximumMembers = 64
    /// The most bytes of one number.
    static let maximumNumberLength = 40

    private enum Expectation { case value, valueOrEnd, name, nameOrEnd, separatorOrEnd }

    private struct Level {
        let isObject: Bool
        var names: [String] = []
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    /// The names that the outermost object may have; nil allows any, and any kind of value outermost.
    private let allowed: Set<String>?
    private var position = 0
    private var levels: [Level] = []
    private var field = ""
    /// The member with the first number that may not fit its type: the decoder does not say which one it was.
    private var numberField: String?

    private init(_ bytes: UnsafeBufferPointer<UInt8>, allowed: Set<String>?) {
        self.bytes = bytes
        self.allowed = allowed
    }

    /// Judges a whole text. Throws the first defect.
    /// - Returns: the member with the first number that may not fit its type.
    @discardableResult
    static func check(_ text: [UInt8], allowed: Set<String>?) throws(Defect) -> String? {
        guard !text.starts(with: [0xEF, 0xBB, 0xBF]) else {
            throw Defect(field: "", message: "must not begin with a byte order mark")
        }
        if text.contains(where: { $0 >= 0x80 }), String(validating: text, as: UTF8.self) == nil {
            throw Defect(field: "", message: "must be UTF-8")
        }
        let result: Result<String?, Defect> = text.withUnsafeBufferPointer { buffer in
            var scanner = JSONScanner(buffer, allowed: allowed)
            do throws(Defect) {
                try scanner.scan()
                return .success(scanner.numberField)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func defect(_ message: String) -> Defect { Defect(field: field, message: message) }

    private func malformed() -> Defect { Defect(field: field, message: "is not well-formed JSON") }

    private mutating func scan() throws(Defect) {
        skipBlanks()
        if allowed != nil, peek() != UInt8(ascii: "{") { throw defect("must be a JSON object") }
        var expectation = Expectation.value
        repeat {
            skipBlanks()
            guard let byte = peek() else { throw malformed() }
            expectation = try step(byte, expectation)
        } while !levels.isEmpty
        field = ""
        skipBlanks()
        guard position == bytes.count else { throw defect("must be one JSON value and nothing after it") }
    }

    /// Takes one token that begins with `byte`; gives what may follow it.
    private mutating func step(_ byte: UInt8, _ expectation: Expectation) throws(Defect) -> Expectation {
        switch (expectation, byte) {
        case (.nameOrEnd, UInt8(ascii: "}")), (.valueOrEnd, UInt8(ascii: "]")):
            return close()
        case (.separatorOrEnd, UInt8(ascii: "}")) where levels.last?.isObject == true:
            return close()
        case (.separatorOrEnd, UInt8(ascii: "]")) where levels.last?.isObject == false:
            return close()
        case (.separatorOrEnd, UInt8(ascii: ",")):
            position += 1
            return levels.last?.isObject == true ? .name : .value
        case (.name, UInt8(ascii: "\"")), (.nameOrEnd, UInt8(ascii: "\"")):
            try takeName()
            return .value
        case (.value, _), (.valueOrEnd, _):
            return try takeValue(byte)
        default:
            throw malformed()
        }
    }

    private mutating func close() -> Expectation {
        position += 1
        levels.removeLast()
        return .separatorOrEnd
    }

    private mutating func takeValue(_ byte: UInt8) throws(Defect) -> Expectation {
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard levels.count < Self.maximumDepth else { throw defect("is nested too deeply") }
            position += 1
            let isObject = byte == UInt8(ascii: "{")
            levels.append(Level(isObject: isObject))
            return isObject ? .nameOrEnd : .valueOrEnd
        case UInt8(ascii: "\""): _ = try takeString(decoding: false)
        case UInt8(ascii: "t"): try takeWord("true")
        case UInt8(ascii: "f"): try takeWord("false")
        case UInt8(ascii: "n"): try takeWord("null")
        default: try takeNumber()
        }
        return .separatorOrEnd
    }

    private mutating func takeName() throws(Defect) {
        let name = try takeString(decoding: true)
        let index = levels.count - 1
        if index == 0 { field = FieldName.printable(name) }
        if levels[index].names.contains(name) { throw defect("must not hold the same name twice") }
        if index == 0, let allowed, !allowed.contains(name) { throw defect("is not a member of this request") }
        guard levels[index].names.count < Self.maximumMembers else { throw defect("has too many members") }
        levels[index].names.append(name)
        skipBlanks()
        guard peek() == UInt8(ascii: ":") else { throw malformed() }
        position += 1
    }
}

/// The tokens.
extension JSONScanner {
    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take() -> UInt8? {
        guard position < bytes.count else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func skipBlanks() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func takeWord(_ word: StaticString) throws(Defect) {
        for index in 0..<word.utf8CodeUnitCount {
            guard take() == word.utf8Start[index] else { throw malformed() }
        }
    }

    /// RFC 8259 §6.
    private mutating func takeNumber() throws(Defect) {
        let start = position
        if peek() == UInt8(ascii: "-") { position += 1 }
        if peek() == UInt8(ascii: "0") { position += 1 } else { try takeDigits() }
        var isWhole = true
        defer { if numberField == nil, !isWhole || position - start > 9 { numberField = field } }
        if peek() == UInt8(ascii: ".") {
            position += 1
            isWhole = false
            try takeDigits()
        }
        if let byte = peek(), byte | 0x20 == UInt8(ascii: "e") {
            position += 1
            isWhole = false
            if let sign = peek(), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
            try takeDigits()
        }
        if position - start > Self.maximumNumberLength { throw defect("is too long a number") }
    }

    private mutating func takeDigits() throws(Defect) {
        let start = position
        while let byte = peek(), (0x30...0x39).contains(byte) { position += 1 }
        if position == start { throw malformed() }
    }

    /// RFC 8259 §7. Gives the text if it is to be decoded, else an empty one.
    private mutating func takeString(decoding: Bool) throws(Defect) -> String {
        position += 1
        let start = position
        var decoded: [UInt8]?
        while let byte = take() {
            switch byte {
            case UInt8(ascii: "\""):
                guard decoding else { return "" }
                return decoded.map { String(decoding: $0, as: UTF8.self) }
                    ?? String(decoding: bytes[start..<position - 1], as: UTF8.self)
            case UInt8(ascii: "\\"):
                if decoding, decoded == nil { decoded = Array(bytes[start..<position - 1]) }
                let scalar = try takeEscape()
                decoded?.append(contentsOf: Array(String(Character(scalar)).utf8))
            case 0..<0x20:
                throw malformed()
            default:
                decoded?.append(byte)
            }
        }
        throw malformed()
    }

    private mutating func takeEscape() throws(Defect) -> Unicode.Scalar {
        switch take() {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try takeUnicodeEscape()
        default: throw malformed()
        }
    }

    private mutating func takeUnicodeEscape() throws(Defect) -> Unicode.Scalar {
        let unit = try takeFourDigits()
        if unit == 0 { throw defect("must not contain the character NUL") }
        if let scalar = Unicode.Scalar(unit) { return scalar }
        // A surrogate: the other half has to follow.
        guard UTF16.isLeadSurrogate(unit), take() == UInt8(ascii: "\\"), take() == UInt8(ascii: "u") else {
            throw malformed()
        }
        let trail = try takeFourDigits()
        guard UTF16.isTrailSurrogate(trail) else { throw malformed() }
        return UTF16.decode(UTF16.EncodedScalar([unit, trail]))
    }

    private mutating func takeFourDigits() throws(Defect) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            switch take() {
            case .some(let byte) where (0x30...0x39).contains(byte): value = value << 4 | UInt16(byte - 0x30)
            case .some(let byte) where (0x61...0x66).contains(byte | 0x20):
                value = value << 4 | UInt16((byte | 0x20) - 0x61 + 10)
            default: throw malformed()
            }
        }
        return value
    }
}
