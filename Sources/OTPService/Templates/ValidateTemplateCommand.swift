import ArgumentParser
import Foundation

/// `otp-service validate-template`: judges the text of an OTP template before it is registered; needs no settings.
struct ValidateTemplateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate-template",
        abstract: "Checks the text of an OTP template against DLT, MSG91 and auto-fill rules.",
        discussion: """
            Reads the text from its argument, from a file, or from standard input. Prints a line for each finding: severity, \
            line:column, rule, sentence. The exit code is 1 if there is an error.
            """)

    @Argument(help: "The text, with ##OTP## in the place of the code.")
    var text: String?

    @Option(help: "A file with the text; - is standard input.")
    var file: String?

    @Option(help: "Digits of a code, 6 to 9.")
    var codeLength = 6

    @Option(name: .customLong("value"), help: "A value of another variable, NAME=TEXT; may be repeated.")
    var values: [String] = []

    @Option(help: "The hash of the Android app that is to read the message, 11 characters.")
    var appHash: String?

    @Flag(help: "Prints the findings as JSON.")
    var json = false

    func validate() throws {
        if text != nil, file != nil { throw ValidationError("Give the text or a file, not both.") }
        if !(6...9).contains(codeLength) { throw ValidationError("--code-length must be from 6 to 9.") }
        if !values.allSatisfy({ $0.contains("=") }) { throw ValidationError("--value must be NAME=TEXT.") }
    }

    func run() throws {
        var rules = TemplateRules()
        rules.codeLength = codeLength
        rules.appHash = appHash
        for pair in values {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if let name = parts.first { rules.values[String(name)] = parts.count > 1 ? String(parts[1]) : "" }
        }
        let report = rules.examine(try read())
        print(json ? try Self.encoded(report) : report.findings.map(\.description).joined(separator: "\n"))
        if !report.valid { throw ExitCode.failure }
    }

    /// An editor's line end at the end of a file is not part of the text.
    private func read() throws -> String {
        if let text { return text }
        let data: Data
        if let file, file != "-" {
            guard let contents = FileManager.default.contents(atPath: file) else {
                throw ValidationError("The file cannot be read.")
            }
            data = contents
        } else {
            data = try FileHandle.standardInput.read(upToCount: 64 << 10) ?? Data()
        }
        guard data.count <= 64 << 10, let text = String(data: data, encoding: .utf8) else {
            throw ValidationError("The text must be UTF-8 and at most 64 KiB.")
        }
        return text.hasSuffix("\r\n") ? String(text.dropLast()) : text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    private static func encoded(_ report: TemplateReport) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(report), as: UTF8.self)
    }
}
