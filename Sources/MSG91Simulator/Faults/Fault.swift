/// What one or more of the next calls suffer; the body of `PUT /faults`.
package struct Fault: Sendable, Codable, Equatable {
    /// How many calls; nil is until the faults are replaced.
    package var requests: Int?
    /// Only calls of this endpoint; nil is all of them.
    package var endpoint: Endpoint?
    /// Only calls for this number.
    package var mobile: String?
    /// Milliseconds before the answer.
    package var latency: Int?
    /// Never answers, accepts nothing.
    package var hang: Bool?
    /// Accepts the message and never answers.
    package var acceptThenTimeout: Bool?
    /// Resets the connection, accepts nothing.
    package var resetBefore: Bool?
    /// Accepts the message, then resets the connection.
    package var resetAfter: Bool?
    /// Whether the message is accepted before the faulty answer; when absent, unless the status is 400 or more.
    package var accept: Bool?
    /// The status of the answer.
    package var status: Int?
    /// Seconds, for the answer's `Retry-After`.
    package var retryAfter: Int?
    /// What is done to the body of the answer.
    package var body: BodyVariant?
    /// Answers with a redirect to this address.
    package var redirect: String?
    /// Replaces the body by an error with this code.
    package var errorCode: String?
    /// The message of that error.
    package var errorMessage: String?

    /// A fault for `requests` calls.
    package init(
        requests: Int? = nil, endpoint: Endpoint? = nil, mobile: String? = nil, latency: Int? = nil,
        hang: Bool? = nil, acceptThenTimeout: Bool? = nil, resetBefore: Bool? = nil, resetAfter: Bool? = nil,
        accept: Bool? = nil, status: Int? = nil, retryAfter: Int? = nil, body: BodyVariant? = nil,
        redirect: String? = nil, errorCode: String? = nil, errorMessage: String? = nil
    ) {
        self.requests = requests
        self.endpoint = endpoint
        self.mobile = mobile
        self.latency = latency
        self.hang = hang
        self.acceptThenTimeout = acceptThenTimeout
        self.resetBefore = resetBefore
        self.resetAfter = resetAfter
        self.accept = accept
        self.status = status
        self.retryAfter = retryAfter
        self.body = body
        self.redirect = redirect
        self.errorCode = errorCode
        self.errorMessage = errorMessage
    }

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case requests, endpoint, mobile
        case latency = "latency_ms"
        case hang
        case acceptThenTimeout = "accept_then_timeout"
        case resetBefore = "reset_before"
        case resetAfter = "reset_after"
        case accept, status
        case retryAfter = "retry_after"
        case body, redirect
        case errorCode = "error_code"
        case errorMessage = "error_message"
    }

    /// How a body differs from what clients expect.
    package enum BodyVariant: String, Sendable, Codable, CaseIterable {
        case html
        case empty
        case truncated
        case withoutID = "without_id"
        case idInMessage = "id_in_message"
        case extraFields = "extra_fields"
        case codeAsNumber = "code_as_number"
        /// A gigabyte, sent as long as somebody reads it.
        case huge
    }

    /// Whether the call does its work.
    var accepts: Bool {
        if hang == true || resetBefore == true { return false }
        if acceptThenTimeout == true || resetAfter == true { return true }
        return accept ?? (errorCode == nil && redirect == nil && (status ?? 200) < 400)
    }
}

extension Fault: Setting {
    static var memberNames: [String] { CodingKeys.allCases.map(\.rawValue) }

    var problem: String? {
        SettingBounds.problem("requests", requests, SettingBounds.requests)
            ?? SettingBounds.problem("latency_ms", latency, SettingBounds.latency)
            ?? SettingBounds.problem("status", status, SettingBounds.status)
    }
}

/// The faults in force; the first that fits a call is used up by it.
struct FaultPlan {
    private(set) var remaining: [Fault]

    init(_ faults: [Fault] = []) {
        remaining = faults.filter { ($0.requests ?? 1) > 0 }
    }

    mutating func take(_ endpoint: Endpoint, mobile: String?) -> Fault? {
        guard
            let index = remaining.firstIndex(where: { fault in
                (fault.endpoint ?? endpoint) == endpoint && (fault.mobile == nil || fault.mobile == mobile)
            })
        else { return nil }
        let fault = remaining[index]
        if let requests = fault.requests {
            if requests > 1 { remaining[index].requests = requests - 1 } else { remaining.remove(at: index) }
        }
        return fault
    }
}
