import HTTPServer

extension ProblemType {
    static let invalidPhoneNumber = ProblemType(
        "invalid-phone-number", status: 422, title: "Invalid phone number",
        explanation: "The text is not one phone number. Write it with its country code, beginning with a plus sign.")
    static let destinationNotAllowed = ProblemType(
        "destination-not-allowed", status: 403, title: "Destination not allowed",
        explanation: "Codes are not sent to this country or kind of line. Use a mobile number of an allowed country.")
    static let resendTooSoon = ProblemType(
        "resend-too-soon", status: 429, title: "Too soon for another message",
        explanation: "The last message to this phone is too recent. Ask again after Retry-After seconds.")
    static let sendLimitReached = ProblemType(
        "send-limit-reached", status: 429, title: "Send limit reached",
        explanation: "Too many codes were asked for. Ask again after Retry-After seconds.")
    static let destinationThrottled = ProblemType(
        "destination-throttled", status: 429, title: "Destination throttled",
        explanation: "Too many codes go to numbers like this one. Ask again after Retry-After seconds.")
    static let resendsExhausted = ProblemType(
        "resends-exhausted", status: 422, title: "No resends left",
        explanation: "The code was sent as often as it may be. Ask for a new one with POST /v1/otp/send.")
    static let challengeNotActive = ProblemType(
        "challenge-not-active", status: 410, title: "Challenge not active",
        explanation: "There is nothing to answer here any more. Ask for a new code with POST /v1/otp/send.")
    static let incorrectCode = ProblemType(
        "incorrect-code", status: 422, title: "Incorrect code",
        explanation: "The code is not the one that was sent. attempts_left says how many answers remain.")
    static let tooManyFailures = ProblemType(
        "too-many-failures", status: 429, title: "Too many wrong codes",
        explanation: "The phone is locked after too many wrong codes. Answer again after Retry-After seconds.")

    /// All that only this service says.
    static let otp: [ProblemType] = [
        .invalidPhoneNumber, .destinationNotAllowed, .resendTooSoon, .sendLimitReached, .destinationThrottled,
        .resendsExhausted, .challengeNotActive, .incorrectCode, .tooManyFailures,
    ]
}

extension Problem {
    /// The one table from refusals to answers. A network's and a phone's limit look alike, so that nobody can probe how often
    /// somebody else's phone was used.
    init(_ refusal: SendRefusal) {
        switch refusal {
        case .resendTooSoon(let wait): self.init(.resendTooSoon, retryAfter: wait.wholeSeconds)
        case .phoneLimit(let wait), .networkLimit(let wait): self.init(.sendLimitReached, retryAfter: wait.wholeSeconds)
        case .prefixLimit(let wait): self.init(.destinationThrottled, retryAfter: wait.wholeSeconds)
        }
    }
}
