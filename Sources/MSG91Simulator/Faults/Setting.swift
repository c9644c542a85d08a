internal import Foundation

/// Something that a control path takes from outside; it knows the names of its members and the bounds of their values.
protocol Setting: Decodable, Sendable {
    static var memberNames: [String] { get }
    /// The first value out of its bounds, as a sentence; nil when there is none.
    var problem: String? { get }
}

/// Why a control path or a form changes nothing; whoever sent it reads the sentence.
struct BadSetting: Error {
    let sentence: String
    /// The members that there are, when one was unknown or of another type.
    var members: [String] = []
}

extension Setting {
    /// Reads one object or an array of them; a member that does not exist is refused, it would be a misspelt one.
    static func read(_ bytes: [UInt8]) throws(BadSetting) -> [Self] {
        let shape = BadSetting(
            sentence: "an object or an array of objects with these members, each of its type",
            members: memberNames.sorted())
        guard let json = JSONValue(bytes) else { throw shape }
        let names = Set(memberNames)
        func isKnown(_ object: JSONValue) -> Bool {
            if case .object(let members) = object { members.allSatisfy { names.contains($0.name) } } else { false }
        }
        // Decoded from the bytes: `JSONValue` has no place for a number beyond the range of its types.
        let values: [Self]
        if case .array(let elements) = json {
            guard elements.allSatisfy(isKnown), let list = try? JSONDecoder().decode([Self].self, from: Data(bytes))
            else { throw shape }
            values = list
        } else {
            guard isKnown(json), let value = try? JSONDecoder().decode(Self.self, from: Data(bytes))
            else { throw shape }
            values = [value]
        }
        for value in values { try value.check() }
        return values
    }

    /// Throws when a value is out of its bounds.
    func check() throws(BadSetting) {
        if let problem { throw BadSetting(sentence: problem) }
    }
}

/// The bounds of the values, which the forms and the control paths share.
enum SettingBounds {
    /// Calls that a fault lasts.
    static let requests = 1...1_000_000
    /// Milliseconds before an answer.
    static let latency = 0...120_000
    /// Statuses of an answer; those below 200 are no answer (RFC 9110 §15.2).
    static let status = 200...599
    /// Messages that the account has left.
    static let balance = 0...1_000_000_000
    /// Wrong codes.
    static let verifyLimit = 1...1_000_000
    /// Milliseconds between acceptance and report.
    static let delay = 0...600_000
    /// Factor on the waits between the attempts of a report.
    static let timeScale = 0.0...1.0

    /// A sentence when the value is outside.
    static func problem<Value: Comparable>(_ name: String, _ value: Value?, _ bounds: ClosedRange<Value>) -> String? {
        guard let value, !bounds.contains(value) else { return nil }
        return "\(name) must be from \(bounds.lowerBound) to \(bounds.upperBound)"
    }
}
