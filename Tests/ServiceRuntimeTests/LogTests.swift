import Dispatch
import FoundationEssentials
import HTTPServer
import Logging
import ServiceRuntime
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A pipe that the servers which other tests start do not inherit: it would never come to its end.
private func closingPipe(_ ends: inout [Int32]) -> Int32 {
    let status = pipe(&ends)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return status
}

@Suite struct LogTests {
    /// What arrives at the other end of a pipe.
    private func lines(_ body: (LogSink) -> Void) throws -> [String] {
        var ends: [Int32] = [0, 0]
        try #require(closingPipe(&ends) == 0)
        let sink = LogSink(descriptor: ends[1])
        body(sink)
        sink.flush()
        close(ends[1])
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(ends[0], &buffer, buffer.count), count > 0 {
            bytes.append(contentsOf: buffer.prefix(count))
        }
        close(ends[0])
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(
            String.init)
    }

    private func logger(_ sink: LogSink, _ format: LogFormat, level: Logger.Level = .info) -> Logger {
        Logger(label: "otp-service") { label in
            LineLogHandler(
                label: label, format: format, level: level, sink: sink, metadataProvider: RequestTrace.metadataProvider)
        }
    }

    private static let hostile = "a\"b\\c\nd\re\tf\u{0}g\u{1B}[31m\u{7F}\u{2028}\u{2029}é😀\u{E2}"

    @Test func aJSONLineIsOneObject() throws {
        let lines = try lines { sink in
            logger(sink, .json).warning(
                "\(Self.hostile)",
                metadata: ["key": "\(Self.hostile)", "message": "taken", "list": ["a", "b"], Self.hostile: "x"])
        }
        #expect(lines.count == 2 && lines[1].isEmpty)
        let object = try JSONDecoder().decode([String: String].self, from: Data(lines[0].utf8))
        #expect(object["level"] == "warning")
        #expect(object["logger"] == "otp-service")
        #expect(object["message"] == Self.hostile)
        #expect(object["key"] == Self.hostile)
        #expect(object["message_"] == "taken")
        #expect(object["list"] == "[a, b]")
        #expect(object[Self.hostile] == "x")
        #expect(object["time"]?.hasSuffix("Z") == true && object["time"]?.utf8.count == 24)
        #expect(
            !lines[0].unicodeScalars.contains {
                $0.value < 0x20 || $0.value == 0x7F || $0.value == 0x2028 || $0.value == 0x2029
            })
    }

    @Test func aConsoleLineIsOneLine() throws {
        let lines = try lines { sink in
            logger(sink, .console).error("broken\nINFO forged", metadata: ["a": "1", "b": "x y", "c": "q\"r", "d": ""])
        }
        #expect(lines.count == 2)
        #expect(
            lines[0].hasSuffix(#" ERROR    otp-service: broken\nINFO forged a=1 b="x y" c="q\"r" d="""#), "\(lines[0])")
    }

    @Test func levelsAreHeeded() throws {
        let lines = try lines { sink in
            let logger = logger(sink, .json, level: .notice)
            logger.info("no")
            logger.notice("yes")
        }
        #expect(lines.count == 2)
    }

    @Test func linesOfARequestCarryItsID() throws {
        let lines = try lines { sink in
            let logger = logger(sink, .json)
            RequestTrace.$current.withValue(RequestTrace(requestID: "r-1")) { logger.info("inside") }
            logger.info("outside")
        }
        #expect(lines[0].contains(#""request_id":"r-1""#))
        #expect(!lines[1].contains("request_id"))
    }

    @Test func accessRecordsAreLines() throws {
        let record = AccessRecord(
            requestID: "r-1", method: "POST", route: "/v1/otp/{id}", status: 422, duration: .microseconds(1234),
            problem: "incorrect-code")
        let json = try lines { Logs.accessLog(label: "otp-service", level: .info, format: .json, sink: $0)(record) }
        #expect(
            json[0].hasSuffix(
                #"","level":"info","logger":"otp-service","message":"request","request_id":"r-1","method":"POST","route":"/v1/otp/{id}","status":422,"duration_ms":1.234,"problem":"incorrect-code"}"#
            ), "\(json[0])")
        let console = try lines {
            Logs.accessLog(label: "otp-service", level: .info, format: .console, sink: $0)(record)
        }
        #expect(
            console[0].contains("request request_id=r-1 method=POST route=/v1/otp/{id} status=422 duration_ms=1.234"))
        let probe = AccessRecord(
            requestID: "r", method: "GET", route: "/health/live", status: 200, duration: .zero, problem: nil)
        #expect(
            try lines { Logs.accessLog(label: "otp-service", level: .info, format: .json, sink: $0)(probe) } == [""])
    }

    @Test func linesOfManyTasksDoNotMix() async throws {
        var ends: [Int32] = [0, 0]
        try #require(closingPipe(&ends) == 0)
        let reader = ends[0]
        let counted = AsyncStream<Int> { continuation in
            DispatchQueue.global().async {
                var count = 0
                var rest = ""
                var buffer = [UInt8](repeating: 0, count: 65_536)
                while case let size = read(reader, &buffer, buffer.count), size > 0 {
                    rest += String(decoding: buffer.prefix(size), as: UTF8.self)
                    let lines = rest.split(separator: "\n", omittingEmptySubsequences: false)
                    count += lines.dropLast().count { $0.hasPrefix("{\"time\"") && $0.hasSuffix("}") }
                    rest = String(lines.last ?? "")
                }
                continuation.yield(count)
                continuation.finish()
            }
        }
        let sink = LogSink(descriptor: ends[1])
        let logger = logger(sink, .json)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<20 {
                group.addTask {
                    for line in 0..<500 { logger.info("line", metadata: ["task": "\(task)", "line": "\(line)"]) }
                }
            }
        }
        sink.flush()
        close(ends[1])
        for await count in counted { #expect(count == 10_000) }
        close(reader)
    }

    @Test func nobodyWaitsForAReaderThatStandsStill() throws {
        // As services do: the end of this reader must not be the end of the process.
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [0, 0]
        try #require(closingPipe(&ends) == 0)
        let sink = LogSink(descriptor: ends[1])
        let line = Array(repeating: UInt8(ascii: "x"), count: 1023) + [0x0A]
        let time = ContinuousClock().measure { for _ in 0..<20_000 { sink.write(line) } }
        #expect(time < .seconds(15))
        close(ends[0])
    }
}
