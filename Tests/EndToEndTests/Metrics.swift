import ServiceTestKit
import Testing

extension Deployment {
    /// What a series of `/metrics` says; nil if it is not there.
    func metric(_ series: String, of part: Part = .otp) async throws -> Double? {
        try await metrics([series], of: part)[series]
    }

    /// What these series say at one moment, without those that are not there.
    func metrics(_ series: some Sequence<String>, of part: Part = .otp) async throws -> [String: Double] {
        let wanted = Set(series)
        var found: [String: Double] = [:]
        for line in try await api(part).get("/metrics").text.split(separator: "\n") {
            // A label's value may hold spaces, the number after it none.
            guard let space = line.lastIndex(of: " "), wanted.contains(String(line[..<space])) else { continue }
            found[String(line[..<space])] = Double(line[line.index(after: space)...])
        }
        return found
    }

    /// Waits until all series have these values: what runs in the background counts a little later.
    func expectMetrics(_ expected: [String: Double]) async throws {
        var found: [String: Double] = [:]
        let end = ContinuousClock.now + .seconds(40)
        while ContinuousClock.now < end {
            found = try await metrics(expected.keys)
            if found == expected { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        for (series, value) in expected { #expect(found[series] == value, "\(series)") }
    }

    /// Waits until a series says something that will do.
    func expectMetric(_ series: String, _ isRight: (Double) -> Bool) async throws {
        var found: Double?
        let end = ContinuousClock.now + .seconds(40)
        while ContinuousClock.now < end {
            found = try await metric(series)
            if let found, isRight(found) { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("\(series) is \(found.map { "\($0)" } ?? "not there")")
    }
}
