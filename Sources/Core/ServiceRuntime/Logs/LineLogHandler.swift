import HTTPServer
package import Logging

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Writes log lines, JSON or for people, each in exactly one line whatever is in it.
package struct LineLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: LogFormat
    private let sink: LogSink

    package init(
        label: String, format: LogFormat, level: Logger.Level, sink: LogSink,
        metadataProvider: Logger.MetadataProvider? = nil
    ) {
        self.label = label
        self.format = format
        self.logLevel = level
        self.sink = sink
        self.metadataProvider = metadataProvider
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var values = metadata
        if let provided = metadataProvider?.get() { values.merge(provided) { own, _ in own } }
        if let given = event.metadata { values.merge(given) { _, given in given } }
        if let error = event.error { values["error"] = "\(error)" }
        let pairs = values.sorted { $0.key < $1.key }.map { ($0.key, Self.text($0.value)) }
        sink.write(
            LogLine(level: event.level, label: label, message: event.message.description, pairs: pairs)
                .bytes(format, at: LogLine.now()))
    }

    private static func text(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): text
        case .stringConvertible(let value): value.description
        case .array(let values): "[" + values.map(text).joined(separator: ", ") + "]"
        case .dictionary(let values):
            "[" + values.sorted { $0.key < $1.key }.map { "\($0.key): \(text($0.value))" }.joined(separator: ", ") + "]"
        }
    }
}

/// One log line before it is written.
package struct LogLine: Sendable {
    package let level: Logger.Level
    package let label: String
    package let message: String
    package let pairs: [(key: String, value: String)]

    package init(level: Logger.Level, label: String, message: String, pairs: [(key: String, value: String)]) {
        self.level = level
        self.label = label
        self.message = message
        self.pairs = pairs
    }

    /// The names that every JSON line has; metadata of the same name gets an underscore.
    private static let reserved: Set<String> = ["time", "level", "logger", "message"]

    /// Milliseconds since 1970.
    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// The line with its line feed.
    package func bytes(_ format: LogFormat, at milliseconds: Int64) -> [UInt8] {
        switch format {
        case .json: json(milliseconds)
        case .console: console(milliseconds)
        }
    }

    private func json(_ milliseconds: Int64) -> [UInt8] {
        var text = JSONText(capacity: 256)
        text.open("{")
        text.member("time", Timestamp.text(millisecondsSince1970: milliseconds))
        text.member("level", level.rawValue)
        text.member("logger", label)
        text.member("message", message)
        for (key, value) in pairs { text.member(Self.reserved.contains(key) ? key + "_" : key, value) }
        text.close("}")
        return text.bytes + [0x0A]
    }

    private func console(_ milliseconds: Int64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(128)
        Timestamp.append(millisecondsSince1970: milliseconds, to: &bytes)
        bytes.append(0x20)
        let name = level.rawValue.uppercased()
        bytes.append(contentsOf: name.utf8)
        bytes.append(contentsOf: repeatElement(0x20, count: max(1, 9 - name.utf8.count)))
        JSONText.escape(label, into: &bytes)
        bytes.append(contentsOf: ": ".utf8)
        JSONText.escape(message, into: &bytes)
        for (key, value) in pairs {
            bytes.append(0x20)
            JSONText.escape(key, into: &bytes)
            bytes.append(UInt8(ascii: "="))
            let isPlain = !value.isEmpty && !value.utf8.contains { $0 <= 0x20 || $0 == 0x22 || $0 == 0x3D }
            if !isPlain { bytes.append(0x22) }
            JSONText.escape(value, into: &bytes)
            if !isPlain { bytes.append(0x22) }
        }
        bytes.append(0x0A)
        return bytes
    }
}
