import Configuration
import Foundation
package import Identity
import SystemPackage

/// Reads settings from the environment and a `.env` file, the environment first, and collects everything that is wrong.
///
/// Reading never stops: a setting that is missing or bad is noted and a stand-in is given, so that the message at the
/// end can list all of them. `finish()` must be called before any of the values is used. An empty value counts as absent,
/// because that is how compose files write it.
package final class SettingsReader {
    private let providers: [EnvironmentVariablesProvider]
    /// The names of all variables that there are, ours or not.
    package let names: Set<String>
    /// The names that were asked for.
    package private(set) var asked: Set<String> = []
    private var problems: [SettingsProblem] = []

    /// - Parameters:
    ///   - environment: what counts first.
    ///   - file: what counts where the environment has nothing.
    package init(environment: [String: String], file: [String: String] = [:]) {
        providers = [
            EnvironmentVariablesProvider(environmentVariables: environment),
            EnvironmentVariablesProvider(environmentVariables: file),
        ]
        names = Set(environment.keys).union(file.keys)
    }

    /// Reads the process's environment and a file that need not exist. Throws if the file exists and cannot be read.
    package init(file: String = ".env") async throws {
        providers = [
            EnvironmentVariablesProvider(),
            try await EnvironmentVariablesProvider(environmentFilePath: FilePath(file), allowMissing: true),
        ]
        names = Set(ProcessInfo.processInfo.environment.keys).union(Self.names(inFile: file))
    }

    /// The names that a file sets; none if it cannot be read.
    private static func names(inFile path: String) -> [String] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
        return text.split(whereSeparator: \.isNewline).compactMap { line in
            let line = line.drop { $0 == " " || $0 == "\t" }
            guard let end = line.firstIndex(of: "="), line.first != "#" else { return nil }
            return String(line[..<end].split(separator: " ").last ?? "")
        }
    }

    /// Notes that a setting is wrong.
    /// - Parameter sentence: what it must be, without its name and never with its value: "must be at most 600".
    package func problem(_ name: String, _ sentence: String) {
        problems.append(SettingsProblem(name: name, sentence: sentence))
    }

    /// Throws all problems noted so far, if there are any.
    package func finish() throws(SettingsProblems) {
        if problems.isEmpty { return }
        throw SettingsProblems(problems: problems, warnings: MisspeltNames.warnings(names))
    }

    /// The text of a setting; nil if it is absent or empty.
    package func optional(_ name: String) -> String? {
        asked.insert(name)
        for provider in providers {
            if let value = try? provider.environmentValue(forName: name), !value.isEmpty { return value }
        }
        return nil
    }

    /// The text of a setting that must be there.
    package func required(_ name: String) -> String {
        if let value = optional(name) { return value }
        problem(name, "is required")
        return ""
    }

    package func string(_ name: String, default value: String) -> String { optional(name) ?? value }

    /// A value of any type.
    /// - Parameter expected: completes "must be …".
    package func parsed<Value>(
        _ name: String, default value: Value, _ expected: String, _ parse: (String) -> Value?
    ) -> Value {
        guard let text = optional(name) else { return value }
        if let parsed = parse(text) { return parsed }
        problem(name, "must be \(expected)")
        return value
    }

    /// A whole number within a range.
    package func integer(_ name: String, default value: Int, in range: ClosedRange<Int>) -> Int {
        parsed(name, default: value, "a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
            guard let number = Int(text), range.contains(number) else { return nil }
            return number
        }
    }

    /// A duration that is written as a whole number of seconds.
    package func seconds(_ name: String, default value: Int, in range: ClosedRange<Int>) -> Duration {
        let expected = "a number of seconds from \(range.lowerBound) to \(range.upperBound)"
        return .seconds(
            parsed(name, default: value, expected) { text in
                guard let number = Int(text), range.contains(number) else { return nil }
                return number
            })
    }

    package func boolean(_ name: String, default value: Bool) -> Bool {
        parsed(name, default: value, "true or false") { text in
            switch text.lowercased() {
            case "true", "yes", "on", "1": true
            case "false", "no", "off", "0": false
            default: nil
            }
        }
    }

    /// One of the words of an enumeration.
    package func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, default value: Choice
    ) -> Choice {
        let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        return parsed(name, default: value, "one of \(words)") { Choice(rawValue: $0.lowercased()) }
    }

    /// A list separated by commas; blanks around the parts and empty parts do not count.
    package func list(_ name: String, default value: [String] = []) -> [String] {
        guard let text = optional(name) else { return value }
        return text.split(separator: ",").map { part in
            var part = part
            while part.first == " " { part = part.dropFirst() }
            while part.last == " " { part = part.dropLast() }
            return String(part)
        }.filter { !$0.isEmpty }
    }

    /// A two-letter region (CLDR) in capital letters, such as `IN`; nil if it is absent.
    package func region(_ name: String) -> String? {
        parsed(name, default: nil, "a two-letter country code like IN") { text in
            PhoneNumber.isKnownRegion(text.uppercased()) ? .some(text.uppercased()) : nil
        }
    }

    /// Key material that must be there and be worth its name.
    package func secret(_ name: String) -> Secret {
        if optional(name) == nil {
            problem(name, "is required: at least 32 random bytes, as openssl rand -hex 32 makes them")
        }
        return optionalSecret(name) ?? Secret(bytes: [])
    }

    /// Key material that may be absent, but not weak.
    package func optionalSecret(_ name: String) -> Secret? {
        guard let text = optional(name) else { return nil }
        do throws(WeakSecret) {
            return try Secret(validating: text)
        } catch {
            problem(name, error.description)
            return nil
        }
    }
}

/// One setting that is missing or bad.
package struct SettingsProblem: Sendable, Hashable {
    /// The name of the variable.
    package let name: String
    /// What it must be; never its value.
    package let sentence: String
}

/// All settings that are missing or bad, as one message for whoever starts the service.
package struct SettingsProblems: Error, Sendable, Hashable, CustomStringConvertible {
    package let problems: [SettingsProblem]
    /// What may be the cause, in sentences: names that are misspelt.
    package var warnings: [String] = []

    package var description: String {
        let lines = problems.map { "  \($0.name) \($0.sentence)" } + warnings.map { "  Warning: \($0)" }
        let noun = problems.count == 1 ? "One setting needs" : "\(problems.count) settings need"
        return "\(noun) attention, in the environment or in .env:\n" + lines.joined(separator: "\n")
    }
}
