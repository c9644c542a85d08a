package import HTTPServer
package import Logging

/// The logging of the process.
package enum Logs {
    /// Sets up swift-log for the process; once, before the first logger is made.
    ///
    /// Every line written while a request is served carries its `request_id`.
    package static func bootstrap(level: Logger.Level, format: LogFormat, sink: LogSink = .standard) {
        LoggingSystem.bootstrap(
            { label, provider in
                LineLogHandler(label: label, format: format, level: level, sink: sink, metadataProvider: provider)
            }, metadataProvider: RequestTrace.metadataProvider)
    }

    /// An access log that goes to the sink directly: made for tens of thousands of lines a second.
    package static func accessLog(
        label: String, level: Logger.Level, format: LogFormat, sink: LogSink = .standard
    ) -> AccessLog {
        { record in
            guard level <= record.level else { return }
            sink.write(line(record, label: label, format: format, at: LogLine.now()))
        }
    }

    static func line(_ record: AccessRecord, label: String, format: LogFormat, at milliseconds: Int64) -> [UInt8] {
        guard format == .json else {
            var pairs = [
                ("request_id", record.requestID), ("method", record.method), ("route", record.route),
                ("status", String(record.status)), ("duration_ms", decimal(record.milliseconds)),
            ]
            if let problem = record.problem { pairs.append(("problem", problem)) }
            return LogLine(level: record.level, label: label, message: "request", pairs: pairs)
                .bytes(.console, at: milliseconds)
        }
        // All of it is ours, or of an alphabet without quotes: nothing needs an escape.
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        func put(_ text: String) { bytes.append(contentsOf: text.utf8) }
        put("{\"time\":\"")
        Timestamp.append(millisecondsSince1970: milliseconds, to: &bytes)
        put("\",\"level\":\"")
        put(record.level.rawValue)
        put("\",\"logger\":\"")
        put(label)
        put("\",\"message\":\"request\",\"request_id\":\"")
        put(record.requestID)
        put("\",\"method\":\"")
        put(record.method)
        put("\",\"route\":\"")
        put(record.route)
        put("\",\"status\":")
        put(String(record.status))
        put(",\"duration_ms\":")
        put(decimal(record.milliseconds))
        if let problem = record.problem {
            put(",\"problem\":\"")
            put(problem)
            put("\"")
        }
        put("}\n")
        return bytes
    }

    /// Three digits after the point.
    private static func decimal(_ milliseconds: Double) -> String {
        let thousandths = Int(min(max(milliseconds * 1000, 0), 1e15))
        let rest = String(thousandths % 1000)
        return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - rest.utf8.count) + rest
    }
}
