import Foundation

/// How long people took to verify, on a scale whose steps grow: element n has what took 2^(n/2) to 2^((n+1)/2) seconds, the first
/// also what was faster and the last what was slower. Sums of such tables are tables, so that a median can be had of any span.
package struct VerifyTimes: Sendable, Hashable {
    /// As many as a lifetime of ten minutes needs.
    package static let count = 20
    /// What the table `statistics` calls them.
    static let columns = (0..<count).map { "t\($0)" }
    /// How many verifications fell into each step.
    package private(set) var counts: [Int]

    /// Takes what was kept; a shorter list counts as zeros.
    package init(_ counts: [Int] = []) {
        self.counts = (0..<Self.count).map { $0 < counts.count ? counts[$0] : 0 }
    }

    /// Adds `number` verifications to a step.
    package mutating func add(_ number: Int, bucket: Int) {
        counts[min(max(bucket, 0), Self.count - 1)] += number
    }

    /// Adds another table.
    package mutating func add(_ other: VerifyTimes) {
        for (index, count) in other.counts.enumerated() { counts[index] += count }
    }

    /// The median in seconds, to a tenth; within a step the times are taken to lie evenly. Nil if there is none.
    package var median: Double? {
        let half = Double(counts.reduce(0, +)) / 2
        var below = 0.0
        for (index, count) in counts.enumerated() where count > 0 {
            let inside = Double(count)
            if below + inside >= half {
                let low = index == 0 ? 0 : pow(2, Double(index) / 2)
                let high = pow(2, Double(index + 1) / 2)
                return ((low + (high - low) * (half - below) / inside) * 10).rounded() / 10
            }
            below += inside
        }
        return nil
    }
}
