/// The text of a message template, taken apart into what stands in it and what is filled in.
struct TemplateText: Sendable {
    /// A place that is filled in.
    struct Variable: Sendable, Hashable {
        /// How it is written.
        enum Notation: Sendable, Hashable {
            /// `##name##`, MSG91's.
            case msg91
            /// `{#name#}`, the DLT portals'.
            case dlt
        }

        let notation: Notation
        let name: String
        let place: TextPlace
    }

    enum Piece: Sendable, Hashable {
        case literal(String)
        case variable(Variable)
    }

    /// With LF at the ends of lines.
    let text: String
    let pieces: [Piece]
    /// Places of `##` that belong to no variable.
    let stray: [TextPlace]

    /// Takes any text.
    init(_ raw: String) {
        text = raw.replacing("\r\n", with: "\n")
        let scalars = Array(text.unicodeScalars)
        var pieces: [Piece] = []
        var stray: [TextPlace] = []
        var literal = ""
        var place = TextPlace(line: 1, column: 1)
        var index = 0
        while index < scalars.count {
            if let (notation, name, length) = Self.variable(scalars[index...]) {
                if !literal.isEmpty { pieces.append(.literal(literal)) }
                literal = ""
                pieces.append(.variable(Variable(notation: notation, name: name, place: place)))
                place.column += length
                index += length
                continue
            }
            // In "###OTP##" the variable begins at the second sign.
            if scalars[index] == "#", index + 1 < scalars.count, scalars[index + 1] == "#",
                Self.variable(scalars[(index + 1)...]) == nil, stray.last.map({ $0.line != place.line }) ?? true
            {
                stray.append(place)
            }
            literal.unicodeScalars.append(scalars[index])
            place.pass(scalars[index])
            index += 1
        }
        if !literal.isEmpty { pieces.append(.literal(literal)) }
        self.pieces = pieces
        self.stray = stray
    }

    var variables: [Variable] {
        pieces.compactMap { if case .variable(let variable) = $0 { variable } else { nil } }
    }

    /// The message with values in the places of the variables.
    func filled(_ value: (Variable) -> String) -> String {
        pieces.map { piece in
            switch piece {
            case .literal(let text): text
            case .variable(let variable): value(variable)
            }
        }.joined()
    }

    /// The variable that a text begins with, and how many scalars it takes.
    private static func variable(
        _ text: ArraySlice<Unicode.Scalar>
    ) -> (notation: Variable.Notation, name: String, length: Int)? {
        for (notation, open, close) in [(Variable.Notation.msg91, "##", "##"), (.dlt, "{#", "#}")] {
            guard text.starts(with: open.unicodeScalars) else { continue }
            let name = text.dropFirst(2).prefix(41).prefix {
                $0 == "_" || $0 == "-" || $0.properties.isAlphabetic || digits.contains($0)
            }
            guard !name.isEmpty, name.count <= 40, text.dropFirst(2 + name.count).starts(with: close.unicodeScalars)
            else { continue }
            var result = ""
            result.unicodeScalars.append(contentsOf: name)
            return (notation, result, name.count + 4)
        }
        return nil
    }

    private static let digits: ClosedRange<Unicode.Scalar> = "0"..."9"
}

/// Where in a text something stands, counted from 1 in Unicode scalars.
package struct TextPlace: Sendable, Hashable {
    package var line: Int
    package var column: Int

    mutating func pass(_ scalar: Unicode.Scalar) {
        if scalar == "\n" {
            line += 1
            column = 1
        } else {
            column += 1
        }
    }
}
