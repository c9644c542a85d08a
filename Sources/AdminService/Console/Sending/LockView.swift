/// How a phone's lock stands, in words.
struct LockView: Sendable {
    let text: String
    let isLocked: Bool

    init(_ lock: PhoneLock) {
        let codes = lock.failures == 1 ? "1 wrong code" : "\(Wording.number(lock.failures)) wrong codes"
        isLocked = lock.state != .open
        text =
            switch (lock.state, lock.until.map(Wording.moment)) {
            case (.permanent, _): "Locked until an operator lifts it, after \(codes) in a row."
            case (.temporary, let until?): "Locked until \(until.text) UTC, after \(codes) in a row."
            case (.temporary, nil): "Locked, after \(codes) in a row."
            case (.open, _): lock.failures == 0 ? "Not locked." : "Not locked; \(codes) since the last right one."
            }
    }
}
