import HTTPServer

/// How far wrong codes in a row have locked a phone: the member `lock` of otp-service's `GET /internal/challenges?phone=`, and ours.
struct PhoneLock: Sendable, Decodable {
    enum State: String, Sendable, Decodable {
        case open, temporary
        /// Until an operator lifts it.
        case permanent
    }

    let state: State
    /// Wrong codes since the last right one.
    let failures: Int
    /// When a temporary lock ends.
    let until: WireTime?

    /// Whether an operator can make a difference.
    var canBeLifted: Bool { state != .open || failures > 0 }

    func write(to json: inout JSONText) {
        json.open("{")
        json.member("state", state.rawValue)
        json.member("failures", failures)
        json.nullable("until", until?.text)
        json.close("}")
    }
}
