package import Logging

/// What is written down of every request: enough to find it, nothing of what it held.
package struct AccessRecord: Sendable {
    package let requestID: String
    package let method: String
    /// The template of the route, `/v1/users/{id}`; `unmatched` when there was none. Never the path itself.
    package let route: String
    package let status: Int
    /// From the last byte of the request to its answer being handed to the connection.
    package let duration: Duration
    /// The code of the problem that was answered.
    package let problem: String?

    package init(
        requestID: String, method: String, route: String, status: Int, duration: Duration, problem: String?
    ) {
        self.requestID = requestID
        self.method = method
        self.route = route
        self.status = status
        self.duration = duration
        self.problem = problem
    }

    /// Probes and scrapes come every few seconds and say nothing: debug. All else: info.
    package var level: Logger.Level {
        route.hasPrefix("/health/") || route == "/metrics" ? .debug : .info
    }

    /// Thousandths of a millisecond are kept.
    package var milliseconds: Double {
        let (seconds, attoseconds) = duration.components
        return Double(seconds) * 1000 + Double(attoseconds / 1_000_000_000_000) / 1000
    }
}

/// Where access records go.
package typealias AccessLog = @Sendable (AccessRecord) -> Void

extension Logger {
    /// An access log that is made of ordinary log lines.
    func accessLog() -> AccessLog {
        { [self] record in
            guard logLevel <= record.level else { return }
            var metadata: Logger.Metadata = [
                "request_id": .string(record.requestID), "method": .string(record.method),
                "route": .string(record.route), "status": .stringConvertible(record.status),
                "duration_ms": .stringConvertible(record.milliseconds),
            ]
            if let problem = record.problem { metadata["problem"] = .string(problem) }
            log(level: record.level, "request", metadata: metadata)
        }
    }
}
