internal import Foundation

/// What MSG91 knows about the last code of a number.
struct OpenCode {
    let mobile: String
    let otp: String
    let text: String
    let templateID: String
    let requestID: String
    let crqid: String?
    let createdAt: Date
    let expiresAt: Date
    var retries = 0
    var wrongAttempts = 0
    var isVerified = false
    /// What the widget gave for the right answer.
    var accessToken: String?
    /// When this very text last went to the number, for the ten-second rule.
    var lastSentAt: Date
}

/// The last codes of the numbers, or of other keys, the oldest forgotten beyond the capacity.
struct OpenCodes {
    private let capacity: Int
    private var codes: [String: OpenCode] = [:]
    /// Numbers by age, a ring.
    private var order: [String] = []
    private var oldest = 0

    init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    subscript(mobile: String) -> OpenCode? {
        get { codes[mobile] }
        set {
            if codes[mobile] == nil, newValue != nil { remember(mobile) }
            codes[mobile] = newValue
        }
    }

    private mutating func remember(_ mobile: String) {
        if order.count < capacity {
            order.append(mobile)
        } else {
            codes[order[oldest]] = nil
            order[oldest] = mobile
            oldest = (oldest + 1) % capacity
        }
    }

    mutating func removeAll() {
        self = OpenCodes(capacity: capacity)
    }
}
