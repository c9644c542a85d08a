import HTTPServer
import HTTPTypes

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
        explanation: """
            The phone is locked after too many wrong codes in a row. Answer again after Retry-After seconds. If it is then still \
            locked, there were so many that only the support of this service lifts the lock.
            """)
    static let smsBudgetExhausted = ProblemType(
        "sms-budget-exhausted", status: 429, title: "No more messages for now",
        explanation: """
            The messages of the day are used up, or sending has been paused. Ask again after Retry-After seconds; the \
            operators have been told.
            """)
    static let requestLimitReached = ProblemType(
        "request-limit-reached", status: 429, title: "Too many requests",
        explanation: "Too many requests came from this network. Ask again after Retry-After seconds.")
    static let idempotencyKeyReused = ProblemType(
        "idempotency-key-reused", status: 422, title: "The key stands for another request",
        explanation: "This Idempotency-Key was sent with another request before. Make a new key for each new request.")
    static let requestInProgress = ProblemType(
        "request-in-progress", status: 409, title: "The request is being answered",
        explanation: """
            A request with this Idempotency-Key is not answered yet. Send it again after Retry-After seconds; the answer \
            will be that of the first.
            """)

    /// All that only this service says.
    static let otp: [ProblemType] = [
        .invalidPhoneNumber, .destinationNotAllowed, .resendTooSoon, .sendLimitReached, .destinationThrottled,
        .resendsExhausted, .challengeNotActive, .incorrectCode, .tooManyFailures,
        .smsBudgetExhausted, .requestLimitReached, .idempotencyKeyReused, .requestInProgress,
    ]
}

extension Problem {
    /// The one table from refusals to answers. A network's and a phone's limit look alike, so that nobody can probe how often
    /// somebody else's phone was used; only the caller's own network shows in `headers`.
    init(_ refusal: SendRefusal, headers: HTTPFields = [:]) {
        let type: ProblemType =
            switch refusal {
            case .resendTooSoon: .resendTooSoon
            case .phoneLimit, .networkLimit: .sendLimitReached
            case .prefixLimit, .destination: .destinationThrottled
            case .requestLimit: .requestLimitReached
            case .budget: .smsBudgetExhausted
            }
        self.init(type, retryAfter: refusal.wait.wholeSeconds, headers: headers)
    }
}
