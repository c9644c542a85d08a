/// Decides when to try to connect, as a pure value.
///
/// After a failure one attempt at a time goes out, after a jittered, doubling pause of 50 ms to 1 s, so that a server that
/// comes back is not met by a herd and is found within a second or two. After a success the others follow at once.
struct ConnectGate {
    static let firstPause = Duration.milliseconds(50)
    static let longestPause = Duration.seconds(1)

    private(set) var failures = 0
    private(set) var connecting = 0
    private var notBefore: ContinuousClock.Instant?
    /// Since when no attempt has succeeded; nil while the last one did.
    private(set) var failingSince: ContinuousClock.Instant?

    func mayConnect(at now: ContinuousClock.Instant) -> Bool {
        if failures == 0 { return true }
        if connecting > 0 { return false }
        return notBefore.map { now >= $0 } ?? true
    }

    /// When `mayConnect` turns true by itself.
    var nextAttempt: ContinuousClock.Instant? { failures > 0 && connecting == 0 ? notBefore : nil }

    mutating func started() { connecting += 1 }

    mutating func succeeded() {
        connecting -= 1
        failures = 0
        notBefore = nil
        failingSince = nil
    }

    /// `jitter` is a random share from 0 to 1.
    mutating func failed(at now: ContinuousClock.Instant, jitter: Double) {
        connecting -= 1
        failures = min(failures + 1, 30)
        failingSince = failingSince ?? now
        var pause = ConnectGate.firstPause
        for _ in 1..<failures where pause < ConnectGate.longestPause { pause *= 2 }
        pause = min(pause, ConnectGate.longestPause)
        notBefore = now.advanced(by: pause * (0.5 + jitter / 2))
    }
}
