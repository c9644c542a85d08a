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

    func read() throws -> String {
        if let text { return text }
        guard let file, file != "-" else { return try Self.text(from: .standardInput) }
        guard let handle = FileHandle(forReadingAtPath: file) else {
            throw ValidationError("The file cannot be read.")
        }
        defer { try? handle.close() }
        return try Self.text(from: handle)
    }

    /// Far more than any message; an endless input ends here.
    static let largest = 1 << 20

    /// All of a file or pipe, which gives it in pieces of its own choosing; an editor's line end is not part of it.
    static func text(from handle: FileHandle) throws -> String {
        var data = Data()
        while data.count <= largest {
            let piece: Data?
            do {
                piece = try handle.read(upToCount: largest + 1 - data.count)
            } catch {
                throw ValidationError("The text cannot be read.")
            }
            guard let piece, !piece.isEmpty else { break }
            data.append(piece)
        }
        guard data.count <= largest else { throw ValidationError("The text is over 1 MiB, far more than a message.") }
        guard let text = String(data: data, encoding: .utf8) else { throw ValidationError("The text is not UTF-8.") }
        return text.hasSuffix("\r\n") ? String(text.dropLast()) : text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    private static func encoded(_ report: TemplateReport) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(report), as: UTF8.self)
    }
}
