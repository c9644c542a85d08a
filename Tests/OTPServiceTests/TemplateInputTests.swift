import ArgumentParser
import Foundation
import Testing

@testable import OTPService

/// Where validate-template gets its text from: a pipe gives no more at once than it holds, 64 KiB.
@Suite("The text for validate-template")
struct TemplateInputTests {
    /// The text that is read from a pipe, as another program fills it; both block, so each has a thread of its own.
    private func read(_ bytes: Data, pause: Bool = false) async throws -> String {
        let pipe = Pipe()
        Thread.detachNewThread {
            for start in stride(from: 0, to: bytes.count, by: 50_000) {
                try? pipe.fileHandleForWriting.write(contentsOf: bytes[start..<min(start + 50_000, bytes.count)])
                if pause { Thread.sleep(forTimeInterval: 0.02) }
            }
            try? pipe.fileHandleForWriting.close()
        }
        let result = await withCheckedContinuation { (waiting: CheckedContinuation<Result<String, any Error>, Never>) in
            Thread.detachNewThread {
                let result = Result { try ValidateTemplateCommand.text(from: pipe.fileHandleForReading) }
                // What is left of a text that is too long.
                _ = try? pipe.fileHandleForReading.readToEnd()
                waiting.resume(returning: result)
            }
        }
        return try result.get()
    }

    @Test("is read to its end", arguments: [10, 65_536, 65_537, 300_000, 1 << 20])
    func wholePipe(count: Int) async throws {
        let text = String(repeating: "x", count: count - 8) + " ##OTP##"
        #expect(try await read(Data(text.utf8)) == text)
        #expect(try await read(Data((text.dropFirst() + "\n").utf8), pause: true) == text.dropFirst())
    }

    @Test("is refused beyond a mebibyte, and when it is no text")
    func bounds() async throws {
        await #expect {
            _ = try await read(Data(repeating: 0x78, count: (1 << 20) + 1))
        } throws: { "\($0)".contains("over 1 MiB") }
        await #expect {
            _ = try await read(Data([0x78, 0xFF]))
        } throws: { "\($0)".contains("not UTF-8") }
        let endless = try #require(FileHandle(forReadingAtPath: "/dev/zero"))
        #expect {
            _ = try ValidateTemplateCommand.text(from: endless)
        } throws: { "\($0)".contains("over 1 MiB") }
    }

    @Test("may come from a file")
    func file() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "template-\(UUID()).txt")
        let text = String(repeating: "x", count: 70_000) + " ##OTP##"
        try Data((text + "\r\n").utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(try ValidateTemplateCommand.parse(["--file", file.path]).read() == text)
        #expect(throws: (any Error).self) { try ValidateTemplateCommand.parse(["--file", "/nowhere"]).read() }
    }
}
