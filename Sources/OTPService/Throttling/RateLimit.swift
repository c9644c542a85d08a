/// So many in so much time, kept by GCRA on one number: the moment at which an ideally spaced sender would be due.
///
/// The burst is the whole allowance; what is used comes back evenly. `gcra_wait` in the schema is the same arithmetic.
package struct RateLimit: Sendable, Hashable {
    /// How many the window allows, 1 to 1 000 000.
    package let count: Int
    /// The window in seconds, 1 second to 30 days.
    package let seconds: Int

    /// Nil outside of the bounds above.
    package init?(count: Int, seconds: Int) {
        guard (1...1_000_000).contains(count), (1...2_592_000).contains(seconds) else { return nil }
        self.count = count
        self.seconds = seconds
    }

    /// Cuts both to their bounds: for constants.
    package init(_ count: Int, per seconds: Int) {
        self.count = min(max(count, 1), 1_000_000)
        self.seconds = min(max(seconds, 1), 2_592_000)
    }

    /// Reads `5/3600`: five an hour.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = Self.number(parts[0]), let seconds = Self.number(parts[1]) else {
            return nil
        }
        self.init(count: count, seconds: seconds)
    }

    /// What one costs, in microseconds.
    package var step: Int { window / count }

    /// The window in microseconds.
    package var window: Int { seconds * 1_000_000 }

    /// Microseconds until one more is allowed; zero or less: now.
    package func wait(arrival: Int, now: Int) -> Int { max(arrival, now) + step - window - now }

    /// The arrival time after one more.
    package func charged(arrival: Int, now: Int) -> Int { max(arrival, now) + step }

    /// How many of `wanted` are allowed now.
    package func grant(_ wanted: Int, arrival: Int, now: Int) -> Int {
        max(0, min(wanted, (window - max(arrival - now, 0)) / step))
    }

    private static func number(_ text: some StringProtocol) -> Int? {
        guard (1...9).contains(text.count), text.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        return Int(text)
    }
}
